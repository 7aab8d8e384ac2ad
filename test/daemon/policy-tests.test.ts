// Goal: tests that fail refuse a policy, tests for which no time is left are a warning, and a policy without tests runs none.
import { expect, test } from "vitest";
import { testBeforeSwap, testFilesBeside } from "../../src/daemon/policy-tests.ts";
import { readRegularFile } from "../../src/daemon/regular-file.ts";
import type { Problem } from "../../src/policy/snapshot.ts";
import { type Clock, systemClock } from "../../src/support/clock.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import type { Result } from "../../src/support/result.ts";
import { systemTimers } from "../../src/support/timers.ts";
import { policyWith } from "../policy/policy-kit.ts";
import { folderWith } from "../rehearsal/kit.ts";

const ROUTES = "routes: [{ path: /open, methods: [GET], public: true }]\n";
const open = (name: string, more = "") => `  - { name: ${name}, request: { path: /open }, expect: allow${more} }\n`;

/** By which no machine is too busy for its tests. */
const stillClock: Clock = { ...systemClock, monotonicMs: () => 0 };

async function tested(
  files: Readonly<Record<string, string>>,
  clock: Clock = stillClock,
  hasTests = true,
): Promise<{ readonly problems: readonly string[]; readonly warnings: readonly string[]; readonly read: number }> {
  const { folder } = folderWith(files);
  let read = 0;
  const result: Result<readonly Problem[], readonly Problem[]> = await testBeforeSwap(
    "policy.yaml",
    { hasTests },
    {
      cwd: folder,
      readFile: (absolute) => {
        read++;
        return readRegularFile(absolute, DEFAULTS.policyBytesMax);
      },
      clock,
      timers: systemTimers,
      env: {},
      budgetMs: 100,
    },
  );
  const texts = (list: readonly Problem[]) =>
    list.map(({ place, text }) => `${place.file}:${place.line}:${place.column} ${text}`);
  return result.ok
    ? { problems: [], warnings: texts(result.value), read }
    : { problems: texts(result.error), warnings: [], read };
}

test("a policy without tests is neither read nor compiled again", async () => {
  const told = await tested({ "policy.yaml": policyWith(ROUTES), "other.test.yaml": "none" }, stillClock, false);
  expect(told).toEqual({ problems: [], warnings: [], read: 0 });
});

test("files beside the policy are its own by their names, in their order", () => {
  const names = [
    "policy.test.yaml",
    "policy.b.test.yml",
    "policy.a.test.yaml",
    "policy-2.test.yaml",
    "policy.yaml",
    "a.test.yaml",
  ];
  const { folder } = folderWith(Object.fromEntries(names.map((name) => [name, ""])));
  expect(testFilesBeside("policy.yaml", folder)).toEqual([
    "policy.a.test.yaml",
    "policy.b.test.yml",
    "policy.test.yaml",
  ]);
  expect(testFilesBeside("nowhere/policy.yaml", folder)).toEqual([]);
});

test("each test that fails is a problem at its place, in a file beside the policy too", async () => {
  const told = await tested({
    "policy.yaml": policyWith(`${ROUTES}tests:\n${open("one")}  - { name: two, expect: allow }\n`),
    "policy.test.yaml": "tests:\n  - { name: three, request: { path: /open }, expect: deny }\n",
  });
  expect(told.problems).toEqual([
    "policy.yaml:9:5 test 'two' fails: expected allow; got deny route_not_found",
    "policy.test.yaml:2:5 test 'three' fails: expected deny, for what the client did; got allow",
  ]);
});

/** Each look at it is 5 ms later. */
function slowClock(): Clock {
  let nowMs = 1_000;
  return { monotonicMs: () => (nowMs += 5), wallMs: () => Date.parse("2026-12-01T00:00:00Z") };
}

test("a test of many requests is left in their midst where its time is over", async () => {
  const tests = `${open("one")}${open("many", ", times: 10000")}${open("three")}`;
  const { problems, warnings } = await tested({ "policy.yaml": policyWith(`${ROUTES}tests:\n${tests}`) }, slowClock());
  expect(problems).toEqual([]);
  expect(warnings).toEqual([expect.stringContaining("1 of 3 tests ran in 100 ms, and none fails")]);
});

test("beyond the budget no further test begins, which is a warning", async () => {
  const clock = slowClock();
  const tests = Array.from({ length: 50 }, (_, at) => open(`t${at}`)).join("");
  const { problems, warnings } = await tested({ "policy.yaml": policyWith(`${ROUTES}tests:\n${tests}`) }, clock);
  expect(problems).toEqual([]);
  expect(warnings).toEqual([
    expect.stringMatching(
      /^policy\.yaml:1:1 [1-9] of 50 tests ran in 100 ms, and none fails; 'postern test' runs all$/,
    ),
  ]);
});

test("a test that may fail, and does not, is a warning", async () => {
  const tests = `${open("late", ", todo: true")}  - { name: later, todo: true, expect: allow }\n`;
  expect(await tested({ "policy.yaml": policyWith(`${ROUTES}tests:\n${tests}`) })).toMatchObject({
    problems: [],
    warnings: ["policy.yaml:8:5 test 'late' holds now; expected it without 'todo'"],
  });
});
