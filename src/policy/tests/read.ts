import { DEFAULTS } from "../../support/defaults.ts";
import type { Result } from "../../support/result.ts";
import { nearestHint } from "../../support/schema.ts";
import type { Steps } from "../../support/turns.ts";
import { Concealed } from "../concealed.ts";
import { EntryReader } from "../entries.ts";
import type { Path } from "../path.ts";
import { ProblemList } from "../problems.ts";
import { References } from "../references.ts";
import type { Problem } from "../snapshot.ts";
import { type Fixtures, parseTests, readFixtures, type TestReading } from "./fixtures.ts";
import { merged } from "./merged.ts";
import type { PolicyTest, TestStep } from "./policy-test.ts";
import type { TestIdentity, TestRequest } from "./request-section.ts";
import { type StepEntry, type TestEntry, type TestMatrix, testSchema } from "./section.ts";

/** The tests of a document, with its fixtures; what is wrong with one hides none of the others. */
export function* readTests(reader: EntryReader, reading: TestReading): Steps<PolicyTest[]> {
  const path = ["tests"];
  const { concealed } = reading;
  const fixtures = yield* readFixtures(reader, reading);
  const list = reader.raw(path) ?? [];
  if (!Array.isArray(list)) {
    reader.problem("expected a list of tests", path);
    return [];
  }
  const tests: PolicyTest[] = [];
  for (const at of list.keys()) {
    yield;
    const entry = reader.read(testSchema, list[at], [...path, at]);
    if (entry !== undefined) tests.push(...testsOf(entry, { fixtures, reader, concealed }, [...path, at]));
    if (tests.length <= DEFAULTS.policyTestsMax) continue;
    reader.problem(`more than ${DEFAULTS.policyTestsMax} tests, those of each matrix among them`, [...path, at]);
    return [];
  }
  return tests;
}

/** Where texts of tests refer to, as those of a policy do. */
export interface TestSources {
  readonly read: (name: string) => Result<Buffer, string>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What stands elsewhere may not be at hand, and is no problem then. */
  readonly isOffline?: boolean;
}

/** `absent`: what its texts refer to and is not at hand. */
export interface ReadTests {
  readonly tests: readonly PolicyTest[];
  readonly problems: readonly Problem[];
  readonly absent: readonly Problem[];
}

/** A file beside the policy that holds nothing but `tests` and their `fixtures`; `file` as its reader is to know it. */
export function* readTestFile(
  file: string,
  content: Result<Buffer, string>,
  { read, env, isOffline = false }: TestSources,
): Steps<ReadTests> {
  const concealed = new Concealed();
  const problems = new ProblemList(concealed);
  const top = { file, line: 1, column: 1, path: "" };
  if (!content.ok) return { tests: [], problems: [{ place: top, text: `the file ${content.error}` }], absent: [] };
  const absent = new ProblemList(concealed);
  const references = new References({ env, isOffline, readFile: read, include: () => {}, problems, absent, concealed });
  const document = yield* parseTests(file, content.value, problems, references);
  if (document === null) return { tests: [], problems: problems.sorted(file), absent: absent.sorted(file) };
  const reader = new EntryReader(document, problems, references.convertible);
  if (reader.raw(["include"]) === undefined) reader.fields({}, [], ["tests", "fixtures"]);
  else
    reader.keyProblem("a file of tests includes none; expected 'fixtures: { files: […] }' for what several share", [
      "include",
    ]);
  // What cannot be known here cannot be judged: the tests are read where it is at hand.
  const tests =
    problems.isEmpty && absent.isEmpty ? yield* readTests(reader, { problems, read, references, concealed }) : [];
  return { tests, problems: problems.sorted(file), absent: absent.sorted(file) };
}

/** What entries are read with. */
interface Reading {
  readonly concealed: Concealed;
  readonly fixtures: Fixtures;
  readonly reader: EntryReader;
}

function testsOf(entry: TestEntry, reading: Reading, path: Path): PolicyTest[] {
  const { fixtures, reader, concealed } = reading;
  const { name, todo = false, at, expect, matrix } = entry;
  const request = fixtures.request(entry.request ?? {}, reader, [...path, "request"]);
  const as = fixtures.identity(entry.as ?? "nobody", reader, [...path, "as"]);
  const answer = entry.answer === undefined ? null : fixtures.answer(entry.answer, reader, [...path, "answer"]);
  const base = { afterMs: 0, times: entry.times ?? 1, request, as, answer };
  const test = (ownName: string, steps: readonly TestStep[]): PolicyTest => ({
    name: ownName,
    place: reader.document.place(path),
    isTodo: todo,
    atMs: at === undefined ? null : Date.parse(at),
    steps,
    concealed,
  });
  if (matrix !== undefined)
    return casesOf(matrix, base, reading, [...path, "matrix"]).map((one) => test(`${name}: ${one.name}`, [one.step]));
  if (expect !== undefined) return [test(name, [{ ...base, expect }])];
  return [
    test(
      name,
      (entry.steps ?? []).map((step, nth) => stepOf(step, base, reading, [...path, "steps", nth])),
    ),
  ];
}

function stepOf(step: StepEntry, base: Base, { fixtures, reader }: Reading, path: Path): TestStep {
  const request = fixtures.request(step.request ?? {}, reader, [...path, "request"]);
  const answer = step.answer === undefined ? {} : fixtures.answer(step.answer, reader, [...path, "answer"]);
  return {
    afterMs: step.after ?? 0,
    times: step.times ?? 1,
    request: merged(base.request, request),
    as: step.as === undefined ? base.as : fixtures.identity(step.as, reader, [...path, "as"]),
    answer: step.answer === undefined ? base.answer : merged(base.answer ?? {}, answer),
    expect: step.expect,
  };
}

/** What a test says of all its requests. */
type Base = Omit<TestStep, "expect">;

interface Case {
  readonly name: string;
  readonly step: TestStep;
}

/** Every principal × resource × action: what `allow` does not list must be denied. */
function casesOf(matrix: TestMatrix, base: Base, { fixtures, reader }: Reading, path: Path): Case[] {
  const actions = Array.isArray(matrix.actions)
    ? matrix.actions.map((method): [string, TestRequest] => [method, { method }])
    : Object.entries(matrix.actions).map(([name, request]): [string, TestRequest] => [
        name,
        fixtures.request(request, reader, [...path, "actions", name]),
      ]);
  const principals = principalsOf(matrix).map(([who, entry, key]): [string, TestIdentity] => [
    who,
    fixtures.identity(entry, reader, [...path, "principals", key]),
  ]);
  const resources = Object.entries(matrix.resources).map(([what, entry]): [string, TestRequest] => [
    what,
    fixtures.request(entry, reader, [...path, "resources", what]),
  ]);
  checkAllowed(
    matrix,
    actions.map(([name]) => name),
    reader,
    [...path, "allow"],
  );
  const count = principals.length * resources.length * actions.length;
  if (count > DEFAULTS.policyTestsMax) {
    reader.problem(`${count} tests; expected at most ${DEFAULTS.policyTestsMax}`, path);
    return [];
  }
  return principals.flatMap(([who, as]) =>
    resources.flatMap(([what, target]) =>
      actions.map(([action, request]): Case => {
        const isAllowed = matrix.allow[who]?.[what]?.includes(action) === true;
        const expect = isAllowed ? { allow: true as const } : { deny: true as const };
        const step = { ...base, request: merged(merged(base.request, target), request), as, expect };
        return { name: `${who} ${isAllowed ? "may" : "may not"} ${action} ${what}`, step };
      }),
    ),
  );
}

/** Name, who it is, and the key in the policy. */
function principalsOf({
  principals,
}: Pick<TestMatrix, "principals">): readonly (readonly [
  string,
  string | Exclude<TestIdentity, "nobody">,
  string | number,
])[] {
  if (!Array.isArray(principals)) return Object.entries(principals).map(([name, entry]) => [name, entry, name]);
  return principals.map((name, at) => [name, name, at]);
}

/** A name in `allow` that stands nowhere else would allow nothing, and its author believes it to be tested. */
function checkAllowed(
  { allow, principals, resources }: TestMatrix,
  actions: readonly string[],
  reader: EntryReader,
  path: Path,
): void {
  for (const [who, rows] of Object.entries(allow)) {
    const known = principalsOf({ principals }).map(([name]) => name);
    if (!known.includes(who))
      reader.keyProblem(`there is no such principal; ${nearestHint(who, known)}`, [...path, who]);
    for (const [what, names] of Object.entries(rows)) {
      const things = Object.keys(resources);
      if (!things.includes(what))
        reader.keyProblem(`there is no such resource; ${nearestHint(what, things)}`, [...path, who, what]);
      for (const [at, name] of names.entries()) {
        if (!actions.includes(name))
          reader.problem(`there is no such action; ${nearestHint(name, actions)}`, [...path, who, what, at]);
      }
    }
  }
}
