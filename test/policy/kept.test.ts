// Goal: a reload makes anew only what its files change. Method: a policy with a keys file and an address list, compiled
// again and again with one file changed; what is made is counted.
import { join, resolve } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { RateTables } from "../../src/limits/rate/rate-tables.ts";
import { examinePolicy } from "../../src/policy/compile.ts";
import { Kept } from "../../src/policy/kept.ts";
import { err, ok } from "../../src/support/result.ts";
import { atOnce, type Steps } from "../../src/support/turns.ts";
import { fixedClock, policyWith } from "./policy-kit.ts";

const FOLDER = resolve("/srv/kept");
const POLICY = policyWith(`authenticators: { partners: { type: api-key, header: X-Api-Key, keys: keys.yaml } }
defaults: { address: { denyFile: deny.txt } }
routes: [{ path: /, authenticate: [partners] }]`);
const keys = (digit: string) => `callers:\n  - { name: acme, keys: [{ sha256: "${digit.repeat(64)}" }] }\n`;

class CountingKept extends Kept {
  made: string[] = [];

  override *get<T>(kind: string, inputs: readonly (string | Buffer)[], make: () => Steps<T | null>): Steps<T | null> {
    return yield* super.get(kind, inputs, () => {
      this.made.push(kind);
      return make();
    });
  }
}

let kept: CountingKept;
let files: Record<string, string>;

beforeEach(() => {
  kept = new CountingKept();
  files = { "policy.yaml": POLICY, "keys.yaml": keys("1"), "deny.txt": "192.0.2.1\n" };
});

/** Compiles with some files changed; gives what was made, and what is wrong. */
async function compile(changed: Record<string, string> = {}) {
  Object.assign(files, changed);
  kept.made = [];
  const { problems } = await examinePolicy(join(FOLDER, "policy.yaml"), {
    clock: fixedClock,
    kept,
    rateTables: new RateTables([1, 2], fixedClock, 64),
    readFile: (name) => {
      const content = files[name.slice(FOLDER.length + 1)];
      return content === undefined ? err("does not exist") : ok(Buffer.from(content));
    },
  });
  return { made: kept.made, problems: problems.length };
}

test("what a file did not change is not made again, whatever else does", async () => {
  expect((await compile()).made).toEqual(["api-key", "api-key uses", "addresses"]);
  expect((await compile({ "policy.yaml": `${POLICY}\n# edited` })).made).toEqual([]);
  expect((await compile({ "deny.txt": "192.0.2.2\n" })).made).toEqual(["addresses"]);
  expect((await compile({ "keys.yaml": keys("2") })).made).toEqual(["api-key"]);
});

test("one list for many routes is made once", async () => {
  const route = (at: number) => `{ path: /a${at}, public: true, address: { denyFile: deny.txt } }`;
  const routes = Array.from({ length: 50 }, (_, at) => route(at)).join(", ");
  const { made } = await compile({ "policy.yaml": policyWith(`routes: [${routes}]`) });
  expect(made).toEqual(["addresses"]);
});

test("a policy that is refused in one place makes nothing anew when it is mended", async () => {
  await compile();
  expect(await compile({ "policy.yaml": `${POLICY}\nnonsense: 1`, "keys.yaml": keys("2") })).toEqual({
    made: ["api-key"],
    problems: 1,
  });
  expect(await compile({ "policy.yaml": POLICY })).toEqual({ made: [], problems: 0 });
});

test("what was wrong is read again, for its problems have to be told again", async () => {
  await compile();
  for (let at = 0; at < 2; at++) {
    expect(await compile({ "keys.yaml": "callers: 1\n" })).toEqual({ made: ["api-key"], problems: 1 });
  }
});

test("what no policy asks for any more is let go", async () => {
  await compile();
  await compile({ "keys.yaml": keys("2") });
  expect((await compile({ "keys.yaml": keys("1") })).made).toEqual(["api-key"]);
});

test("of another compilation's tables those serve that never change, and none that counts", () => {
  const others = new Kept();
  const made: string[] = [];
  const table = (kept: Kept, kind: string): object | null =>
    atOnce(
      kept.get(kind, ["the same"], function* () {
        made.push(kind);
        yield;
        return { kind };
      }),
    );
  const kinds = [
    "addresses",
    "address denyList",
    "detector",
    "geo",
    "grpc",
    "openapi",
    "api-key",
    "api-key uses",
    "basic guesses",
  ];
  const theirs = kinds.map((kind) => table(others, kind));
  others.settle(true);
  made.length = 0;
  const own = new Kept(others);
  const ours = kinds.map((kind) => table(own, kind));
  expect(made).toEqual(["api-key", "api-key uses", "basic guesses"]);
  expect(ours.map((one, at) => one === theirs[at])).toEqual(kinds.map((kind) => !made.includes(kind)));
});
