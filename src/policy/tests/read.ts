import { DEFAULTS } from "../../support/defaults.ts";
import type { Result } from "../../support/result.ts";
import { nearestHint } from "../../support/schema.ts";
import type { Steps } from "../../support/turns.ts";
import { parseDocument } from "../document.ts";
import { EntryReader } from "../entries.ts";
import type { Path } from "../path.ts";
import { ProblemList } from "../problems.ts";
import type { Problem } from "../snapshot.ts";
import type { PolicyTest, TestStep } from "./policy-test.ts";
import type { TestAnswer, TestRequest } from "./request-section.ts";
import { type TestEntry, type TestMatrix, testSchema } from "./section.ts";

/** The tests of the list at `path`; what is wrong with one hides none of the others. */
export function* readTests(reader: EntryReader, path: Path): Steps<PolicyTest[]> {
  const list = reader.raw(path);
  if (!Array.isArray(list)) {
    reader.problem("expected a list of tests", path);
    return [];
  }
  const tests: PolicyTest[] = [];
  for (const at of list.keys()) {
    yield;
    const entry = reader.read(testSchema, list[at], [...path, at]);
    if (entry !== undefined) tests.push(...testsOf(entry, reader, [...path, at]));
    if (tests.length <= DEFAULTS.policyTestsMax) continue;
    reader.problem(`more than ${DEFAULTS.policyTestsMax} tests, those of each matrix among them`, [...path, at]);
    return [];
  }
  return tests;
}

/** A file beside the policy that holds nothing but `tests`; `file` as its reader is to know it. */
export function* readTestFile(
  file: string,
  content: Result<Buffer, string>,
): Steps<{ readonly tests: readonly PolicyTest[]; readonly problems: readonly Problem[] }> {
  const problems = new ProblemList();
  const top = { file, line: 1, column: 1, path: "" };
  if (!content.ok) return { tests: [], problems: [{ place: top, text: `the file ${content.error}` }] };
  const document = yield* parseDocument(file, content.value, ({ place, text }) => problems.add(place, text));
  if (document === null) return { tests: [], problems: problems.sorted(file) };
  const reader = new EntryReader(document, problems);
  reader.fields({}, [], ["tests"]);
  const tests = problems.isEmpty ? yield* readTests(reader, ["tests"]) : [];
  return { tests, problems: problems.sorted(file) };
}

function testsOf(entry: TestEntry, reader: EntryReader, path: Path): PolicyTest[] {
  const { name, todo = false, at, request = {}, as = "nobody", answer = null, expect, steps, matrix } = entry;
  const test = (ownName: string, own: readonly TestStep[]): PolicyTest => ({
    name: ownName,
    place: reader.document.place(path),
    isTodo: todo,
    atMs: at === undefined ? null : Date.parse(at),
    steps: own,
  });
  if (matrix !== undefined)
    return casesOf(matrix, request, answer, reader, [...path, "matrix"]).map((one) =>
      test(`${name}: ${one.name}`, [one.step]),
    );
  if (expect !== undefined) return [test(name, [{ afterMs: 0, times: entry.times ?? 1, request, as, answer, expect }])];
  const own = (steps ?? []).map(
    (step): TestStep => ({
      afterMs: step.after ?? 0,
      times: step.times ?? 1,
      request: merged(request, step.request ?? {}),
      as: step.as ?? as,
      answer: step.answer === undefined ? answer : merged(answer ?? {}, step.answer),
      expect: step.expect,
    }),
  );
  return [test(name, own)];
}

/** Headers one by one, and one body in place of the other. */
function merged<T extends TestRequest | TestAnswer>(base: T, more: T): T {
  const headers = { ...base.headers, ...more.headers };
  const { body: _, bodyFile: __, ...bodiless } = base;
  const hasBody = more.body !== undefined || more.bodyFile !== undefined;
  return { ...(hasBody ? bodiless : base), ...more, ...(Object.keys(headers).length === 0 ? {} : { headers }) } as T;
}

interface Case {
  readonly name: string;
  readonly step: TestStep;
}

/** Every principal × resource × action: what `allow` does not list must be denied. */
function casesOf(
  matrix: TestMatrix,
  base: TestRequest,
  answer: TestAnswer | null,
  reader: EntryReader,
  path: Path,
): Case[] {
  const actions = Array.isArray(matrix.actions)
    ? matrix.actions.map((method): [string, TestRequest] => [method, { method }])
    : Object.entries(matrix.actions);
  const principals = Object.entries(matrix.principals);
  const resources = Object.entries(matrix.resources);
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
    resources.flatMap(([what, resource]) =>
      actions.map(([action, request]): Case => {
        const target = typeof resource === "string" ? { path: resource } : resource;
        const isAllowed = matrix.allow[who]?.[what]?.includes(action) === true;
        const expect = isAllowed ? { allow: true as const } : { deny: true as const };
        const step = { afterMs: 0, times: 1, request: merged(merged(base, target), request), as, answer, expect };
        return { name: `${who} ${isAllowed ? "may" : "may not"} ${action} ${what}`, step };
      }),
    ),
  );
}

/** A name in `allow` that stands nowhere else would allow nothing, and its author believes it to be tested. */
function checkAllowed(
  { allow, principals, resources }: TestMatrix,
  actions: readonly string[],
  reader: EntryReader,
  path: Path,
): void {
  for (const [who, rows] of Object.entries(allow)) {
    const known = Object.keys(principals);
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
