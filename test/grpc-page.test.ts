import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { DEFAULTS } from "../src/support/defaults.ts";
import { GRPC_DEFAULTS } from "../src/support/grpc-defaults.ts";
import { ORDERS_SET } from "./fixtures/orders-api.ts";
import { createTokenMint } from "./fixtures/tokens.ts";
import { examine, policyWith } from "./policy/policy-kit.ts";

const page = readFileSync(resolve(import.meta.dirname, "../docs/grpc.md"), "utf8");
const blocks = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");

const AUTHENTICATORS = {
  okta: { type: "jwt", issuer: "https://id.example/", audience: ["a"], algorithms: ["RS256"], keys: "jwks.json" },
};

async function look(top: object, set: Buffer = ORDERS_SET): ReturnType<typeof examine> {
  const { jwks } = await createTokenMint();
  return examine(policyWith(stringify({ authenticators: AUTHENTICATORS, ...top })), {
    "jwks.json": jwks,
    "api/orders.binpb": set,
  });
}

test.each(blocks.map((block) => [block]))("the example loads: %s", async (block) => {
  const { problems, warnings, snapshot } = await look(parse(block) as object);
  expect([problems, warnings]).toEqual([[], []]);
  expect(snapshot).not.toBeNull();
});

test("each method is a route of its own, and beside them is the rest of the service", async () => {
  const { snapshot } = await look(parse(blocks[0] ?? "") as object);
  const paths = snapshot?.routeList.map(({ template, methods }) => `${methods.join(",")} ${template}`);
  expect(paths).toEqual([
    "POST /orders.v1.Orders/Create",
    "POST /orders.v1.Orders/Get",
    "POST /orders.v1.Orders/Watch",
    "POST /orders.v1.Orders/Import",
    "POST /orders.v1.Orders/Chat",
    " /orders.v1.Orders/**",
  ]);
});

test("what is wrong with the section is told where it stands", async () => {
  const section = { file: "api/orders.binpb" };
  const texts = async (more: object): Promise<readonly string[]> => {
    const { problems } = await look({ grpc: [{ ...section, ...more }] });
    return problems.map(({ text }) => text);
  };
  expect(await texts({})).toEqual([
    "nothing says who may call orders.v1.Orders/Create and 4 more of 'api/orders.binpb'; expected 'authenticate' or 'public: true' here, or in 'methods'",
  ]);
  expect(await texts({ public: true, services: ["orders.v1.Order"] })).toEqual([
    "'api/orders.binpb' has no service 'orders.v1.Order'; did you mean 'orders.v1.Orders'?",
  ]);
  expect(await texts({ public: true, methods: { "orders.v1.Orders/Gett": {} } })).toEqual([
    "the section has no method 'orders.v1.Orders/Gett'; did you mean 'orders.v1.Orders/Get'?",
  ]);
  expect(await texts({ public: true, methods: { "orders.v1.Orders/Get": { path: "/x" } } })).toEqual([
    "'path' is what the descriptor says",
  ]);
  expect(await texts({ public: true, unknownField: "strip" })).toEqual([
    "unknown key 'unknownField'; did you mean 'unknownFields'?",
  ]);
});

test("the page names the limits that hold", () => {
  const { messageBytesMax, messageValuesMax, messageDepthMax, messageStepsMax } = GRPC_DEFAULTS;
  expect(page).toContain(`${messageBytesMax / 1024 ** 2} MiB if absent`);
  expect(page).toContain(`at most ${messageValuesMax.toLocaleString("en")} values, ${messageDepthMax} messages deep`);
  const [all, each] = [messageStepsMax, DEFAULTS.expressionStepsMax].map((steps) => steps.toLocaleString("en"));
  expect(page).toContain(`at most ${all} steps together, and each ${each}`);
});
