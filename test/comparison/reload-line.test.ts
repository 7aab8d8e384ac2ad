// Goal: the log of a reload says in one bounded line what the new policy opens, closes, loosens and tightens.
import { afterAll, expect, test } from "vitest";
import { changesLine } from "../../src/comparison/changes-line.ts";
import { textChanges } from "../../src/comparison/text-changes.ts";
import { RateTables } from "../../src/limits/rate/rate-tables.ts";
import { compilePolicy } from "../../src/policy/compile.ts";
import type { Snapshot } from "../../src/policy/snapshot.ts";
import { systemClock } from "../../src/support/clock.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { atOnce } from "../../src/support/turns.ts";
import { createWorkspace } from "../daemon/fixtures.ts";
import { type Files, fixedClock, policyWith, readerOf } from "../policy/policy-kit.ts";

const workspace = createWorkspace("policy.yaml");
afterAll(() => workspace.dispose());

async function outlined(rest: string, files: Files = {}): Promise<Snapshot> {
  const compiled = await compilePolicy("conf/policy.yaml", {
    cwd: "/srv",
    clock: fixedClock,
    rateTables: new RateTables([1, 2], fixedClock, 64),
    readFile: readerOf(policyWith(rest), files),
    outline: "digests",
  });
  if (!compiled.ok) throw new Error(compiled.error.map(({ text }) => text).join("\n"));
  return compiled.value;
}

async function lineOf(before: string, after: string, files: readonly [Files, Files] = [{}, {}]): Promise<string> {
  return changesLine(atOnce(textChanges(await outlined(before, files[0]), await outlined(after, files[1]))));
}

const route = (keys: string) => `  - { path: /orders, ${keys} }\n`;
const one = (keys: string) => `routes:\n${route(keys)}`;
const JWT = `authenticators: { okta: { type: jwt, issuer: "https://idp.example.org/", audience: [orders], algorithms: [ES256] } }\n`;
const asked = "authenticate: [okta]";

test.each([
  ["nothing", one("public: true"), one("public: true"), ""],
  ["the order of keys", one("public: true, methods: [GET]"), one("methods: [GET], public: true"), ""],
  [
    "a new route",
    one("public: true"),
    `${one("public: true")}  - { path: /b, public: true }\n`,
    "routes opened 1 (usual methods /b)",
  ],
  [
    "a route that is gone",
    `${one("public: true")}  - { path: /b, methods: [GET], public: true }\n`,
    one("public: true"),
    "routes closed 1 (GET /b)",
  ],
  [
    "a caller that is asked for no more",
    JWT + one(asked),
    JWT + one("public: true"),
    "routes loosened 1 (usual methods /orders)",
  ],
  [
    "a check more",
    JWT + one(asked),
    JWT + one(`${asked}, authorize: { scopes: [a] }`),
    "routes tightened 1 (usual methods /orders)",
  ],
  [
    "a check that only tries itself out",
    JWT + one(`${asked}, authorize: { scopes: [a] }`),
    JWT + one(`${asked}, authorize: { scopes: [a], mode: audit }`),
    "routes loosened 1 (usual methods /orders)",
  ],
  [
    "a rule in another way",
    JWT + one(`${asked}, authorize: { scopes: [a] }`),
    JWT + one(`${asked}, authorize: { scopes: [b] }`),
    "routes changed 1 (usual methods /orders)",
  ],
  [
    "methods",
    one("methods: [GET], public: true"),
    one("methods: [GET, POST], public: true"),
    "routes opened 1 (POST /orders)",
  ],
  [
    "sections",
    JWT + one("public: true"),
    `limits: { a: { rate: 1/second, key: client.address } }\ndefaults: { limit: [a] }\n${one("public: true")}`,
    "sections added 2 (limits.a, defaults.limit), removed 1 (authenticators.okta)",
  ],
] as const)("of %s", async (_what, before, after, line) => {
  expect(await lineOf(before, after)).toBe(line);
});

test("a file that the policy names counts, though its text is the same", async () => {
  const policy = one("public: true, address: { denyFile: bad.txt }");
  const files = [{ "bad.txt": "192.0.2.1\n" }, { "bad.txt": "192.0.2.2\n" }] as const;
  expect(await lineOf(policy, policy, files)).toBe("sections changed 1 (file bad.txt)");
});

test("a thousand changes are one short line, made in turns", async () => {
  const many = (letter: string) =>
    `routes:\n${Array.from({ length: 1000 }, (_, at) => `  - { path: /${letter}${at}, methods: [GET], public: true }\n`).join("")}`;
  const steps = textChanges(await outlined(many("a")), await outlined(many("b")));
  let yields = 0;
  for (;;) {
    const step = steps.next();
    if (step.done === true) {
      const line = changesLine(step.value);
      expect(line).toBe(
        "routes opened 1000 (GET /b0, GET /b1, GET /b2, …), closed 1000 (GET /a0, GET /a1, GET /a2, …)",
      );
      break;
    }
    yields++;
  }
  expect(yields).toBeGreaterThanOrEqual(2000);
});

test("a reload writes it to the log, a start does not", async () => {
  workspace.write(policyWith(one("public: true"), { listener: "{ name: inbound, address: 127.0.0.1:0 }" }));
  const compile = (file: string, readFile: (absolute: string) => ReturnType<ReturnType<typeof readerOf>>) =>
    compilePolicy(file, {
      clock: systemClock,
      rateTables: new RateTables([1, 2], systemClock, 64),
      readFile,
      outline: "digests",
      sliceMs: DEFAULTS.compileSliceMs,
    });
  const { sink, daemon } = await workspace.start({}, compile);
  expect(sink.events("reload")).toEqual([]);
  workspace.write(
    policyWith(`${one("public: true")}  - { path: /b, methods: [GET], public: true }\n`, {
      listener: "{ name: inbound, address: 127.0.0.1:0 }",
    }),
  );
  daemon.reload();
  await daemon.reloadSettled();
  // The look at the file may come a second time, for the watcher saw the write too.
  expect(sink.events("reload").filter(({ result }) => result !== "unchanged")).toMatchObject([
    { result: "ok", changes: "routes opened 1 (GET /b)" },
  ]);
});
