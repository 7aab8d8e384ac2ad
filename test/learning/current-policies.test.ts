// Goal: the policy that traffic had may stand in several files, or in a manifest, and what is learnt from it is one file that loads.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { factsOf } from "../records/kit.ts";
import { folderWith } from "../rehearsal/kit.ts";
import { caller, each } from "./kit.ts";

const PARTNERS = ["acme", "globex"].map((name) => caller(name));
const KEYS = `callers:\n  - { name: acme, keys: [{ sha256: "${"ab".repeat(32)}" }] }\n  - { name: globex, keys: [{ sha256: "${"cd".repeat(32)}" }] }\n`;
const RECORD = [
  ...each(PARTNERS, 20, (principal, at) => ({ principal, path: `/orders/${1000 + at}` })),
  ...each(["192.0.2.7", "198.51.100.9"], 20, (client) => ({ client, path: "/open/docs" })),
]
  .map((one) => `${JSON.stringify(factsOf({ route: "/**", ...one }))}\n`)
  .join("");

const HEAD = `version: 1
# Of the team that has the orders.
service: orders
listeners: [{ name: inbound, address: 127.0.0.1:8080 }]
upstreams: { app: { address: http://127.0.0.1:3000 } }
`;
const CALLERS = "authenticators: { partners: { type: api-key, header: X-Api-Key, keys: keys.yaml } }\n";
const ORDERS = "routes:\n  - { path: /orders/**, authenticate: [partners], validate: { body: { maxBytes: 1KiB } } }\n";

test("a policy in several files becomes one, each route with what its own file says of it", async () => {
  const { folder, postern } = folderWith({
    "policy.yaml": `${HEAD}include: [callers.yaml, "routes-*.yaml"]\nroutes:\n  - { path: /open/**, public: true }\n`,
    "callers.yaml": `version: 1\n${CALLERS}`,
    "routes-orders.yaml": ORDERS,
    "keys.yaml": KEYS,
    "decisions.jsonl": RECORD,
  });
  const learn = ["learn", "--policy", "policy.yaml", "decisions.jsonl", "--output", "learnt.yaml"];
  expect(await postern(...learn)).toMatchObject({ code: 0, out: "" });
  const learnt = readFileSync(join(folder, "learnt.yaml"), "utf8");
  expect(learnt).not.toMatch(/include|\*\*/);
  expect(learnt).toContain("# Of the team that has the orders.\n");
  expect(learnt.match(/^authenticators:/gm)).toHaveLength(1);
  expect(learnt).toMatch(/path: "?\/open\/docs"?\n {4}methods: \[GET\]\n {4}public: true\n/);
  expect(learnt).toMatch(/path: "?\/orders\/\{number\}"?\n {4}methods: \[GET\]\n {4}authenticate: \[partners\]\n/);
  expect(learnt).toMatch(/maxBytes: "?1KiB/);
  expect(await postern("check", "learnt.yaml")).toMatchObject({ code: 0, err: "" });
  expect((await postern("replay", "--policy", "learnt.yaml", "decisions.jsonl")).out).toContain("0 would change");
});

test("what a route asks of its callers stays where the traffic shows nothing narrower", async () => {
  const rule = "authorize: { not: { scopes: [revoked] }, mode: audit }";
  const many = each(
    Array.from({ length: 12 }, (_, at) => caller(`seldom${at}`)),
    4,
    (principal, at) => ({ principal, path: `/orders/${1000 + at}`, route: "/**" }),
  );
  const { postern, folder } = folderWith({
    "policy.yaml": `${HEAD}${CALLERS}limits: { all: { rate: 9/second, key: principal } }\nroutes:\n  - { path: /orders/**, authenticate: [partners], ${rule}, limit: [all] }\n`,
    "keys.yaml": KEYS,
    "decisions.jsonl": many.map((one) => `${JSON.stringify(factsOf(one))}\n`).join(""),
  });
  const learn = ["learn", "--policy", "policy.yaml", "decisions.jsonl", "--output", "learnt.yaml"];
  expect(await postern(...learn)).toMatchObject({ code: 0 });
  expect(readFileSync(join(folder, "learnt.yaml"), "utf8")).toMatch(
    /^ {4}authorize: .*revoked.*audit \}\n {4}limit: \[all/m,
  );
  expect(await postern("check", "learnt.yaml")).toMatchObject({ code: 0, err: "" });
});

test("a policy in a manifest, by the ConfigMap that is meant", async () => {
  const indented = (text: string): string => text.replaceAll(/^(?=.)/gm, "    ");
  const configMap = (name: string, text: string): string =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name} }\ndata:\n  policy.yaml: |\n${indented(text)}`;
  const policy = `${HEAD}routes:\n  - { path: /**, public: true }\n`;
  const { postern } = folderWith({
    "k8s.yaml": `${configMap("orders", policy)}---\n${configMap("other", policy.replace("service: orders", "service: other"))}`,
    "decisions.jsonl": RECORD,
  });
  const { code, out } = await postern("learn", "--policy", "k8s.yaml", "--configmap", "other", "decisions.jsonl");
  expect(code).toBe(0);
  expect(out).toContain("service: other\n");
  expect((await postern("learn", "--policy", "k8s.yaml", "decisions.jsonl")).err).toContain("--configmap");
});
