import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { examine } from "./policy-kit.ts";

const EXAMPLE = readFileSync(resolve(import.meta.dirname, "../../policies/example.yaml"), "utf8");

/** Whatever the text, the answer is a snapshot or problems with places, in order and each once. */
async function expectAnswer(text: string | Buffer): Promise<void> {
  const { snapshot, problems } = await examine(text);
  expect(snapshot === null).toBe(problems.length > 0);
  let line = 0;
  for (const problem of problems) {
    // A stage that fails is a fault of ours.
    expect(problem.text).not.toMatch(/^stage '/);
    expect(problem.text).not.toBe("");
    expect(problem.place.column).toBeGreaterThan(0);
    if (problem.place.file !== "conf/policy.yaml") continue;
    expect(problem.place.line).toBeGreaterThanOrEqual(line);
    line = problem.place.line;
  }
  const shown = problems.map(({ place, text: said }) => `${place.file}:${place.line}:${place.column} ${said}`);
  expect(new Set(shown).size).toBe(shown.length);
}

const KEYS = [...new Set(EXAMPLE.match(/[A-Za-z]+(?=:)/g) ?? []), "__proto__", "constructor", "toString", "<<", "1"];
const VALUES = [
  "true",
  "null",
  "~",
  "[]",
  "{}",
  "1e999",
  "-1",
  "0x1F",
  "''",
  "*x",
  "&x y",
  "!t z",
  "principal",
  "/a/{b}",
];

/** Values as a policy could hold them, with the policy's own words as keys. */
const tree = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom(...VALUES),
    fc.string({ maxLength: 12 }).map((text) => JSON.stringify(text)),
    fc.array(tie("value"), { maxLength: 4 }).map((items) => `[${items.join(", ")}]`),
    fc
      .array(fc.tuple(fc.constantFrom(...KEYS), tie("value")), { maxLength: 5 })
      .map((pairs) => `{${pairs.map(([key, value]) => `${key}: ${value}`).join(", ")}}`),
  ),
})).value;

describe("no text makes the compiler throw", () => {
  test("characters that mean something to YAML", async () => {
    const piece = fc.constantFrom(..."{}[]:,-?*&!|>'\"#%@` \n\t\r\0\ufeff\u2028aA1é\ud83d\ude00");
    await fc.assert(fc.asyncProperty(fc.string({ unit: piece, maxLength: 200 }), expectAnswer), {
      numRuns: 400,
      seed: 2,
    });
  });

  test("any bytes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), (bytes) => expectAnswer(Buffer.from(bytes))),
      { numRuns: 200, seed: 3 },
    );
  });

  test("sections that hold anything", async () => {
    const sections = ["listeners", "upstreams", "admin", "log", "authenticators", "limits", "defaults", "routes"];
    const policy = fc
      .tuple(...sections.map((name) => tree.map((value) => `${name}: ${value}`)))
      .map((lines) => ["version: 1", "service: a", ...lines].join("\n"));
    await fc.assert(fc.asyncProperty(policy, expectAnswer), { numRuns: 300, seed: 4 });
  });

  test("the example with a piece cut out, doubled or replaced", async () => {
    const edit = fc.tuple(
      fc.nat(EXAMPLE.length),
      fc.nat(40),
      fc.constantFrom("", "double", ...VALUES, ...KEYS, "\n", ": "),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 4 }), async (edits) => {
        let text = EXAMPLE;
        for (const [at, length, what] of edits) {
          const piece = text.slice(at, at + length);
          text = text.slice(0, at) + (what === "double" ? piece + piece : what) + text.slice(at + length);
        }
        await expectAnswer(text);
      }),
      { numRuns: 300, seed: 5 },
    );
  });
});
