// Goal: two policies whose rules about calls of gRPC differ are told apart by a message, which a shell can print.
import { expect, test } from "vitest";
import { compare } from "../../src/comparison/compare.ts";
import { judgeWitness } from "../../src/comparison/judge.ts";
import { explainCommandLine } from "../../src/comparison/witness.ts";
import { descriptorSet, type FileText } from "../fixtures/descriptors.ts";
import { framed, ORDERS, ORDERS_SET } from "../fixtures/orders-api.ts";
import { fixedClock } from "../policy/policy-kit.ts";
import { compared, worldOf } from "./kit.ts";

/** gRPC comes over HTTP/2 alone. */
const LISTENER = "{ name: inbound, address: 127.0.0.1:8080, protocols: [h2c, http/1.1] }";

const policy = (keys = ""): string =>
  `grpc:\n  - { file: api.binpb, public: true${keys} }\nroutes: [{ path: /health, public: true }]\n`;

const withOrder = (fields: object): FileText => ({
  ...ORDERS,
  messages: { ...ORDERS.messages, Order: { ...ORDERS.messages["Order"], ...fields } as FileText["messages"][string] },
});

const setOf = (fields: object): Buffer => descriptorSet(withOrder(fields));

async function told(before: Buffer, after: Buffer, keys: readonly [string, string] = ["", ""]) {
  const files = [{ "api.binpb": before }, { "api.binpb": after }] as const;
  const { differences } = await compared(policy(keys[0]), policy(keys[1]), files, { listener: LISTENER });
  return differences;
}

test("messages that the descriptor allows are made, so that nothing differs where nothing is another", async () => {
  expect(await told(ORDERS_SET, ORDERS_SET)).toEqual([]);
});

test.each([
  ["a longer text", { note: ["string", 3, { string: { maxLen: 40 } }] }, "loosened"],
  ["a shorter text", { note: ["string", 3, { string: { maxLen: 10 } }] }, "tightened"],
  ["an item less", { items: ["repeated Item", 2, { repeated: { minItems: 2, maxItems: 3 } }] }, "tightened"],
  ["an item more", { items: ["repeated Item", 2, { repeated: { minItems: 1, maxItems: 4 } }] }, "loosened"],
  ["another form of a text", { id: ["string", 1, { string: { email: true } }] }, "loosened"],
  ["a field more", { comment: ["string", 9] }, "loosened"],
])("%s", async (_, fields, kind) => {
  const kinds = (await told(ORDERS_SET, setOf(fields))).map((one) => one.kind);
  expect(kinds).toContain(kind);
});

test("within messages of messages", async () => {
  const other = descriptorSet({
    ...ORDERS,
    messages: {
      ...ORDERS.messages,
      Item: {
        sku: ["string", 1, { string: { pattern: "^[A-Z]{2}-[0-9]+$" } }],
        quantity: ["uint32", 2, { uint32: { gte: 1, lte: 50 } }],
      },
    },
  });
  const kinds = (await told(ORDERS_SET, other)).map((one) => one.kind);
  expect(kinds).toEqual(expect.arrayContaining(["loosened", "tightened"]));
});

test.each([
  ["unknown fields", "", ", unknownFields: pass", "loosened"],
  ["rules", "", ", rules: ignore", "loosened"],
  ["the size of messages", ", maxMessageBytes: 2KiB", ", maxMessageBytes: 1KiB", "tightened"],
])("%s", async (_, before, after, kind) => {
  const kinds = (await told(ORDERS_SET, ORDERS_SET, [before, after])).map((one) => one.kind);
  expect(kinds).toContain(kind);
});

test("the command prints the message byte by byte", async () => {
  const [one] = await told(ORDERS_SET, ORDERS_SET, ["", ", unknownFields: pass"]);
  if (one === undefined) throw new Error("nothing is told");
  const line = explainCommandLine(one.witness, "p");
  expect(line).toMatch(
    /^printf -- '\\000\\000\\000\\000.*' > witness\.body && postern explain --policy p -H 'content-type: application\/grpc' --body witness\.body 'POST \/orders\.v1\.Orders\//,
  );
});

test("of random rules about fields no message is missed that one descriptor allows and the other does not", async () => {
  let state = 11;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const rules = (): FileText => ({
    package: "a",
    messages: {
      M: {
        n: ["uint32", 1, { uint32: { gte: random(4), lte: 4 + random(4) } }],
        s: ["string", 2, { string: { minLen: random(3), maxLen: 3 + random(3) } }],
        r: ["repeated bool", 3, { repeated: { maxItems: 1 + random(3) } }],
      },
      R: {},
    },
    services: { S: { Do: "M R" } },
  });
  let moved = 0;
  for (let round = 0; round < 8; round++) {
    const [before, after] = [descriptorSet(rules()), descriptorSet(rules())];
    const head = { listener: LISTENER };
    const worlds = [
      await worldOf(policy(), { "api.binpb": before }, head),
      await worldOf(policy(), { "api.binpb": after }, head),
    ] as const;
    const told = new Set((await compare(...worlds, fixedClock.wallMs())).differences.map(({ kind }) => kind));
    for (let n = 0; n < 9; n++) {
      for (let length = 0; length < 7; length++) {
        for (let count = 0; count < 5; count++) {
          const message = Buffer.from([
            8,
            n,
            18,
            length,
            ...Buffer.alloc(length, "a"),
            26,
            count,
            ...Buffer.alloc(count, 1),
          ]);
          const witness = {
            method: "POST",
            target: "/a.S/Do",
            headers: ["content-type: application/grpc"],
            client: "127.0.0.1",
            identity: { as: null, assumed: null },
            body: framed(message),
            certificate: null,
            atMs: null,
          };
          const [was, is] = [
            await judgeWitness(worlds[0].world, witness, fixedClock.wallMs()),
            await judgeWitness(worlds[1].world, witness, fixedClock.wallMs()),
          ];
          if (was === null || is === null || was.isAllowed === is.isAllowed) continue;
          moved++;
          expect(told, `n ${n}, s ${length}, r ${count}`).toContain(is.isAllowed ? "loosened" : "tightened");
        }
      }
    }
  }
  expect(moved).toBeGreaterThan(300);
});
