import { mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "../../build.ts";
import { LEAK_GROUPS } from "../../src/leaks/catalogue.ts";
import { type Contestant, OUTPUT_FILE, type Ports } from "./contestant.ts";
import { DESCRIPTION } from "./described.ts";
import { ANSWER_SCHEMA } from "./order.ts";
import { CRS_FILES } from "./searched.ts";
import { IDLE_CONNECTIONS, type Workload } from "./workloads.ts";
import { ANSWER_PATHS, AUDIENCE, DENIED_ADDRESS, HIDDEN_FIELD, ISSUER, POST_PATH, SCOPE, type World } from "./world.ts";

/** postern as it is shipped: the bundle, and a compile cache that the first of its processes fills. */
export async function createPostern(world: World): Promise<Contestant> {
  const bundle = await build(join(world.folder, "dist"));
  const env = { NODE_COMPILE_CACHE: join(world.folder, "compile-cache") };
  return {
    name: "postern",
    refusesWithoutCertificate: "handshake",
    validates: true,
    accessLog: OUTPUT_FILE,
    missing: () => null,
    supports: () => true,
    configure(workload, shared, ports, root) {
      // As in /etc: its own, for each write beside the policy wakes whoever watches for edits.
      const folder = join(root, "policy");
      mkdirSync(folder);
      const file = join(root, POLICY_FILE);
      const text = policyText(workload, shared, ports, root);
      writeFileSync(file, text);
      // Its own is another policy: of a candidate's section none is read.
      if (workload.candidate) writeFileSync(join(folder, "next.yaml"), text.replace(CANDIDATE, ""));
      if (workload.contract) writeFileSync(join(folder, "answer.schema.json"), JSON.stringify(ANSWER_SCHEMA));
      if (workload.described) writeFileSync(join(folder, "orders.openapi.json"), JSON.stringify(DESCRIPTION));
      // As one that has been there for long: a policy just written is waited for.
      utimesSync(file, new Date(0), new Date(0));
      // As the image and the unit start it.
      const heap = [
        "--max-semi-space-size=1",
        "--single-threaded-gc",
        "--initial-old-space-size=64",
        "--disallow-code-generation-from-strings",
      ];
      return { file: process.execPath, args: [...heap, bundle, "run", "--policy", file], env };
    },
  };
}

/** In the folder of a process. */
export const POLICY_FILE = join("policy", "policy.yaml");

export function policyText(workload: Workload, world: World, ports: Ports, folder: string): string {
  const at = (name: string) => JSON.stringify(join(world.folder, name));
  const tls =
    workload.transport === "plain"
      ? ""
      : `    tls:
      certificate: ${at("server.pem")}
      key: ${at("server.key")}
      minVersion: TLSv1.3
${workload.transport === "mtls" ? `      clientCertificate: { mode: required, ca: ${at("ca.pem")} }\n` : ""}`;
  return `version: 1
service: bench
listeners:
  - name: inbound
    address: 127.0.0.1:${ports.proxy}
    protocols: [${workload.protocol}]
${tls}${workload.work === "connections" ? MANY_CONNECTIONS : ""}    upstream: app
upstreams:
  app: { address: '${workload.upstream === "h2c" ? "h2c" : "http"}://127.0.0.1:${ports.origin}' }
log: { access: '${workload.accessLog ? "all" : "off"}' }
${facilities(workload, folder)}${tracing(workload, ports)}${workload.policy === "full" ? fullPolicy(workload, world) : forwardPolicy(workload)}${workload.candidate ? CANDIDATE : ""}`;
}

function facilities({ inventory, anomalies, exemplars, recorded }: Workload, folder: string): string {
  const sections = [
    ...(inventory ? ["inventory: {}"] : []),
    ...(anomalies ? ["anomalies: {}"] : []),
    ...(exemplars ? ["requestId: {}"] : []),
    ...(recorded
      ? [`state: { directory: ${JSON.stringify(join(folder, "state"))} }`, "record: { maxBytes: 1GiB }"]
      : []),
  ];
  return sections.map((section) => `${section}\n`).join("");
}

/** The service takes what the collector would: it answers whatever comes with 200. */
function tracing({ traced }: Workload, ports: Ports): string {
  if (traced === null) return "";
  return `tracing: { collector: { url: 'http://127.0.0.1:${ports.origin}' }, sample: ${traced} }\n`;
}

/** Of the processor it may have all that one in ten takes: what it leaves out would cost nothing. */
const CANDIDATE = "candidate: { file: next.yaml, share: 10%, cpuShare: 100% }\n";

/** The rules that ModSecurity has beside it. */
const SEARCHED = `detectors:
  crs: { rules: [${CRS_FILES.join(", ")}] }
routes:
  - { path: /**, public: true, detect: [crs] }
`;

/** The default allows one address half of them. */
const MANY_CONNECTIONS = `    maxConnections: ${IDLE_CONNECTIONS + 1000}
    maxConnectionsPerAddress: ${IDLE_CONNECTIONS + 1000}
    idleTimeout: 10m
`;

function forwardPolicy(workload: Workload): string {
  if (workload.searched !== null) return SEARCHED;
  if (workload.described) return "openapi:\n  - { file: orders.openapi.json, public: true }\n";
  const validate = workload.work === "upload" ? ", validate: { body: { maxBytes: 2GiB } }" : "";
  const path = ANSWER_PATHS[workload.answer];
  const rules = [
    ...(workload.fields ? [`fields: { remove: ['${HIDDEN_FIELD}'] }`] : []),
    ...(workload.leaks ? [`leaks: { ${LEAK_GROUPS.map((group) => `${group}: mask`).join(", ")} }`] : []),
  ];
  const ruled = `  - { path: ${path}, public: true, response: { ${rules.join(", ")} } }\n`;
  const contract = `  - { path: ${path}, public: true, response: { validate: { content: { application/json: { schema: answer.schema.json } } } } }\n`;
  return `routes:\n${rules.length > 0 ? ruled : ""}${workload.contract ? contract : ""}  - { path: /**, public: true${validate} }\n`;
}

function fullPolicy(workload: Workload, world: World): string {
  const more = Array.from({ length: workload.routes - 1 }, (_, at) => route(`/v1/resource${at}/{id}/items/{item}`));
  return `authenticators:
  idp:
    type: jwt
    issuer: ${ISSUER}
    audience: [${AUDIENCE}]
    algorithms: [RS256]
    keys: ${JSON.stringify(join(world.folder, "jwt.pem"))}
limits:
  perAddress: { rate: 900000/second, burst: 900000, key: client.address }
defaults:
  address: { deny: [203.0.113.0/24, ${DENIED_ADDRESS}] }
  limit: [perAddress]
  response: { removeHeaders: [Server, X-Powered-By], securityHeaders: api }
${workload.described ? DESCRIBED : `routes:\n${workload.work === "post" ? postRoute(world) : ""}${route("/v1/orders/{orderId}")}${more.join("")}`}`;
}

/** Callers are known by the token, whatever operation it is. */
const DESCRIBED = `openapi:
  - file: orders.openapi.json
    public: true
    operations:
      createOrder: { authenticate: [idp], authorize: { scopes: ['${SCOPE}'] } }
      readOrder: { authenticate: [idp], authorize: { scopes: ['${SCOPE}'] } }
`;

function postRoute(world: World): string {
  return `  - path: ${POST_PATH}
    methods: [POST]
    authenticate: [idp]
    authorize: { scopes: ['${SCOPE}'] }
    validate: { body: { schema: ${JSON.stringify(join(world.folder, "order.schema.json"))} } }
`;
}

function route(path: string): string {
  return `  - path: ${path}
    methods: [GET]
    authenticate: [idp]
    authorize: { scopes: ['${SCOPE}'] }
`;
}
