import { RateTables } from "../../src/limits/rate/rate-tables.ts";
import { parseAddress } from "../../src/message/address.ts";
import { EMPTY_BODY } from "../../src/message/body.ts";
import { Exchange } from "../../src/message/exchange.ts";
import { HeaderBlock } from "../../src/message/headers.ts";
import type { Principal } from "../../src/message/principal.ts";
import { compilePolicy } from "../../src/policy/compile.ts";
import { systemClock } from "../../src/support/clock.ts";
import { err, ok } from "../../src/support/result.ts";
import { type Figure, medians, time } from "./measure.ts";

const BATCH = 512;
const ROUNDS = 101;
const CALLERS = 64;
const ROLES = 100;

/** What a rule costs by itself, for 64 callers in turn, all of whom it lets pass. */
const RULES: Readonly<Record<string, string>> = {
  scope: "{ scopes: [read] }",
  "100 roles": `{ any: [${Array.from({ length: ROLES }, (_, at) => `{ roles: [role-${at}] }`).join(", ")}] }`,
  "role of 100": "{ roles: [carried-50] }",
  "path = claim": "{ match: { path.tenant: jwt.tenant } }",
  condition: `{ when: 'path.tenant == jwt.tenant && (jwt.level >= 3 || "admin" in principal.scopes)' }`,
};

/** One of 100 roles that the policy defines, the caller in the fiftieth; one of 100 that a token brings; object level; CEL. */
export async function benchAuthorize(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const [contestant, rule] of Object.entries(RULES)) {
    const judge = await compile(rule);
    const exchanges = Array.from({ length: CALLERS }, (_, at) => exchangeOf(at));
    for (const exchange of exchanges) if (judge(exchange) !== null) throw new Error(`${contestant} denies`);
    let at = 0;
    const countAllowed = (): number => {
      let allowed = 0;
      for (let count = 0; count < BATCH; count++) {
        const exchange = exchanges[at++ % CALLERS];
        if (exchange !== undefined && judge(exchange) === null) allowed++;
      }
      return allowed;
    };
    const ns = medians({ [contestant]: () => time(countAllowed, BATCH, BATCH) }, ROUNDS);
    figures.push({ bench: "authorize", contestant, size: CALLERS, ns: ns[contestant] ?? Number.NaN });
  }
  return figures;
}

function exchangeOf(at: number): Exchange {
  const tenant = `tenant-${at}`;
  const roles = Array.from({ length: ROLES }, (_, role) => `carried-${role}`);
  const principal: Principal = Object.freeze({
    authenticator: "okta",
    type: "jwt",
    id: `caller-${at}`,
    key: `okta/caller-${at}`,
    scopes: new Set(["read", "write"]),
    claims: { tenant, level: 3, roles, groups: ["group-50"] },
    expiresAtMs: Number.POSITIVE_INFINITY,
  });
  const peer = parseAddress("192.0.2.7");
  if (peer === null) throw new Error("no address");
  const connection = {
    listener: "inbound",
    peer,
    proxyPeer: null,
    protocol: "http/1.1",
    secure: true,
    certificate: null,
  } as const;
  const target = { path: `/${tenant}/orders`, query: "" };
  const exchange = new Exchange(
    connection,
    "GET",
    target,
    "api.example",
    "api.example",
    new HeaderBlock([], []),
    EMPTY_BODY,
  );
  exchange.principal = principal;
  exchange.params = [tenant];
  return exchange;
}

async function compile(rule: string): Promise<(exchange: Exchange) => unknown> {
  const roles = Array.from({ length: ROLES }, (_, at) => `  role-${at}: { groups: [group-${at}] }\n`).join("");
  const policy = `version: 1
service: bench
listeners: [{ name: inbound, address: "127.0.0.1:8443", plaintext: allowed }]
upstreams: { app: { address: "http://127.0.0.1:3000" } }
authenticators: { keys: { type: api-key, header: X-Key, keys: keys.yaml } }
roles:
${roles}routes:
  - { path: '/{tenant}/orders', authenticate: [keys], authorize: ${rule} }
`;
  const files: Readonly<Record<string, string>> = {
    "/policy.yaml": policy,
    "/keys.yaml": `callers: [{ name: acme, keys: [{ sha256: "${"ab".repeat(32)}" }] }]`,
  };
  const compiled = await compilePolicy("/policy.yaml", {
    clock: systemClock,
    rateTables: new RateTables([1, 2], systemClock, 4096),
    readFile: (name) => {
      const text = files[name];
      return text === undefined ? err("does not exist") : ok(Buffer.from(text));
    },
  });
  if (!compiled.ok) throw new Error(compiled.error[0]?.text);
  const check = compiled.value.routeList[0]?.checks.find(({ name }) => name === "authorize");
  if (check === undefined) throw new Error("no check");
  return (exchange) => check.evaluate(exchange);
}
