import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { type CurrentPolicy, currentPolicy, openPolicy } from "../learning/current-routes.ts";
import { FIRST_SECTIONS, type KeptSections, keptSections } from "../learning/kept-sections.ts";
import { type KnownOperation, knownOperations } from "../learning/known-operations.ts";
import { Learner } from "../learning/learner.ts";
import { lessonOf } from "../learning/lesson.ts";
import { lessonJson, lessonSummary } from "../learning/lesson-report.ts";
import { policyText } from "../learning/policy-text.ts";
import type { Thresholds } from "../learning/support.ts";
import { type RecordedRequest, readLine } from "../records/recorded-line.ts";
import { openTestWorld } from "../rehearsal/test-world.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";
import { type Command, type CommandIo, EXIT, misuse, type Options, parseOptions } from "./command.ts";
import { plain, problemLine } from "./load-policy.ts";
import { CONFIGMAP_OPTION } from "./policy-reader.ts";
import { type Tell, withProgress } from "./progress.ts";
import { linesOf, openLines } from "./record-lines.ts";
import { testInputs } from "./test-inputs.ts";

const { learnRequestsMin, learnCallersMin } = DEFAULTS;

const OPTIONS = {
  policy: {
    type: "string",
    short: "p",
    value: "CURRENT",
    text: "the policy that the traffic had: the learnt one starts from it, and is nowhere wider",
  },
  ...CONFIGMAP_OPTION,
  inventory: {
    type: "string",
    value: "FILE",
    text: "what 'postern inventory --json' printed: it goes further back than a record that turns over",
  },
  "min-requests": {
    type: "string",
    value: "N",
    text: `so many requests have to be behind each rule (${learnRequestsMin})`,
  },
  "min-callers": {
    type: "string",
    value: "N",
    text: `so many callers have to be behind each rule (${learnCallersMin})`,
  },
  output: { type: "string", short: "o", value: "FILE", text: "where it is written; standard output if not given" },
  json: {
    type: "boolean",
    text: "what was learnt and left out, for machines, in place of the policy or beside FILE",
  },
} as const satisfies Options;

export const learnCommand: Command = {
  name: "learn",
  summary: "Makes of recorded traffic a policy that lets it pass, and as little else as possible.",
  usage: "[--policy CURRENT] [OPTION]... RECORD...",
  options: OPTIONS,
  notes: `RECORD is a file that 'record' of a policy has had written, older ones first; or an access log, as 'postern replay' takes it.`,
  example: `postern learn --policy policy.yaml state/decisions.old.jsonl state/decisions.jsonl --output learnt.yaml
Exit code 0: done. 1: nothing could be learnt, or CURRENT has problems. 2: used wrongly.`,

  async run(args, io) {
    const parsed = parseOptions(args, OPTIONS);
    if (!parsed.ok) return misuse(learnCommand, parsed.error, io);
    const { values, positionals: records } = parsed.value;
    if (records.length === 0) return misuse(learnCommand, "expected the file of a record", io);
    const requests = countOf(values["min-requests"], learnRequestsMin);
    const callers = countOf(values["min-callers"], learnCallersMin);
    if (requests === null || callers === null || callers > DEFAULTS.learnPartSourcesMax)
      return misuse(
        learnCommand,
        `expected whole numbers from 1 on, and at most ${DEFAULTS.learnPartSourcesMax} callers`,
        io,
      );
    const output = values.output === undefined ? null : resolve(io.cwd, values.output);
    if (output !== null && values.policy !== undefined && output === resolve(io.cwd, values.policy))
      return misuse(learnCommand, "--output is the current policy itself; expected another file", io);
    const wanted = {
      ...{ policy: values.policy, configMap: values.configmap, inventory: values.inventory, output },
      ...{ thresholds: { requests, callers }, isJson: values.json === true },
    };
    return withProgress(io, wanted.isJson, (told, tell) => learn(records, wanted, told, tell));
  },
};

interface Wanted {
  readonly policy: string | undefined;
  readonly configMap: string | undefined;
  readonly inventory: string | undefined;
  /** Absolute; null for standard output. */
  readonly output: string | null;
  readonly thresholds: Thresholds;
  readonly isJson: boolean;
}

async function learn(records: readonly string[], wanted: Wanted, io: CommandIo, tell: Tell): Promise<number> {
  const { policy, inventory, output, thresholds, isJson } = wanted;
  const current = await currentOf(policy, wanted.configMap, io);
  if (current === null) return EXIT.problems;
  const known = knownIn(inventory, io);
  if (!known.ok) return misuse(learnCommand, `${inventory} ${known.error}`, io);
  const learner = new Learner(current.policy);
  const read = await readRecords(records, learner, io, tell);
  if (!read.ok) return misuse(learnCommand, read.error, io);
  if (policy === undefined && learner.knownBy.size > 0)
    return misuse(
      learnCommand,
      `its callers were known by ${[...learner.knownBy].map(plain).join(", ")}; expected --policy CURRENT that has it, for without it all would be open`,
      io,
    );
  const lesson = lessonOf(learner, current.policy, thresholds, known.value);
  const hasLearnt = lesson.routes.length > 0;
  if (hasLearnt && output !== null) {
    const written = await write(output, policyText(lesson, current.policy, current.kept));
    if (!written.ok) return misuse(learnCommand, `${output} ${written.error}`, io);
  }
  io.stderr(lessonSummary(lesson, read.value));
  if (isJson) io.stdout(lessonJson(lesson));
  else if (output === null && hasLearnt) io.stdout(policyText(lesson, current.policy, current.kept));
  return hasLearnt ? EXIT.fine : EXIT.problems;
}

function countOf(text: string | undefined, usual: number): number | null {
  if (text === undefined) return usual;
  return /^[1-9]\d{0,8}$/.test(text) ? Number(text) : null;
}

function knownIn(file: string | undefined, io: CommandIo): Result<readonly KnownOperation[], string> {
  if (file === undefined) return ok([]);
  const content = testInputs(io).readFile(resolve(io.cwd, file));
  return content.ok ? knownOperations(content.value) : content;
}

interface Current {
  readonly policy: CurrentPolicy;
  readonly kept: KeptSections;
}

/** Null with its problems told. */
async function currentOf(
  file: string | undefined,
  configMap: string | undefined,
  io: CommandIo,
): Promise<Current | null> {
  if (file === undefined) return { policy: openPolicy(), kept: FIRST_SECTIONS };
  const inputs = testInputs(io, configMap);
  const world = await openTestWorld(file, inputs);
  if (!world.ok) {
    for (const problem of world.error) io.stderr(problemLine(problem));
    return null;
  }
  const { snapshot, included } = world.value;
  world.value.close();
  const names = [resolve(io.cwd, file), ...included];
  const texts: string[] = [];
  for (const [at, name] of names.entries()) {
    const text = inputs.readFile(name, at === 0);
    if (text.ok) texts.push(text.value.toString());
    else return unread(name, text.error, io);
  }
  const [own = "", ...others] = texts;
  const kept = keptSections(own, others);
  if (!kept.ok) return unread(file, kept.error, io);
  const { value, routes } = kept.value;
  const entriesOf = (name: string): readonly unknown[] => routes[names.indexOf(resolve(io.cwd, name))] ?? [];
  return { policy: currentPolicy(snapshot, value, entriesOf), kept: kept.value };
}

function unread(file: string, error: string, io: CommandIo): null {
  io.stderr(`postern learn: ${file} ${error}\n`);
  return null;
}

/** Twice: who scans is known when all of it was seen. Gives how many lines could not be read. */
async function readRecords(
  records: readonly string[],
  learner: Learner,
  io: CommandIo,
  tell: Tell,
): Promise<Result<number, string>> {
  let skipped = 0;
  for (const record of records) {
    const told = (line: number): void => tell(`${record}: line ${line}, once to see who asks`);
    const read = await eachRequest(record, io, told, (recorded) => learner.survey(recorded));
    if (!read.ok) return err(`${record} ${read.error}`);
    if (read.value.isOthers) io.stderr(`postern learn: ${record}: others may write it, and say in it what they like\n`);
    skipped += read.value.skipped;
  }
  for (const record of records) {
    learner.begin();
    const told = (line: number): void => tell(`${record}: line ${line}, once to learn from it`);
    const read = await eachRequest(record, io, told, (recorded) => learner.learn(recorded));
    if (!read.ok) return err(`${record} ${read.error}`);
  }
  return ok(skipped);
}

async function eachRequest(
  record: string,
  io: CommandIo,
  tellLine: (line: number) => void,
  take: (recorded: RecordedRequest) => void,
): Promise<Result<{ skipped: number; isOthers: boolean }, string>> {
  const opened = await openLines(resolve(io.cwd, record));
  if (!opened.ok) return opened;
  const { handle, isOthers } = opened.value;
  let skipped = 0;
  try {
    for await (const lines of linesOf(handle)) {
      for (const { line, text } of lines) {
        tellLine(line);
        const read = text === null ? err("too long") : readLine(text);
        if (!read.ok) skipped++;
        else if (read.value !== null) take(read.value);
      }
    }
    return ok({ skipped, isOthers });
  } catch (error) {
    return err(`cannot be read: ${error instanceof Error && "code" in error ? String(error.code) : "defect"}`);
  } finally {
    await handle.close();
  }
}

async function write(file: string, text: string): Promise<Result<null, string>> {
  try {
    await writeFile(file, text);
    return ok(null);
  } catch (error) {
    return err(`cannot be written: ${error instanceof Error && "code" in error ? String(error.code) : "defect"}`);
  }
}
