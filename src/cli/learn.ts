import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { type CurrentPolicy, currentPolicy, openPolicy } from "../learning/current-routes.ts";
import { FIRST_SECTIONS, type KeptSections, keptSections } from "../learning/kept-sections.ts";
import { type KnownOperation, knownOperations } from "../learning/known-operations.ts";
import { Learner } from "../learning/learner.ts";
import { lessonOf } from "../learning/lesson.ts";
import { lessonJson, lessonSummary } from "../learning/lesson-report.ts";
import { policyText } from "../learning/policy-text.ts";
import { type RecordedRequest, readLine } from "../records/recorded-line.ts";
import { openTestWorld } from "../rehearsal/test-world.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";
import { type Command, type CommandIo, EXIT, misuse, type Options, parseOptions } from "./command.ts";
import { plain, problemLine } from "./load-policy.ts";
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
    const current = await currentOf(values.policy, io);
    if (current === null) return EXIT.problems;
    const known = knownIn(values.inventory, io);
    if (!known.ok) return misuse(learnCommand, `${values.inventory} ${known.error}`, io);
    const learner = new Learner(current.policy);
    const read = await readRecords(records, learner, io);
    if (!read.ok) return misuse(learnCommand, read.error, io);
    if (values.policy === undefined && learner.knownBy.size > 0)
      return misuse(
        learnCommand,
        `its callers were known by ${[...learner.knownBy].map(plain).join(", ")}; expected --policy CURRENT that has it, for without it all would be open`,
        io,
      );
    const lesson = lessonOf(learner, current.policy, { requests, callers }, known.value);
    if (lesson.routes.length > 0 && output !== null) {
      const written = await write(output, policyText(lesson, current.policy, current.kept));
      if (!written.ok) return misuse(learnCommand, `${values.output} ${written.error}`, io);
    }
    io.stderr(lessonSummary(lesson, read.value));
    if (values.json === true) io.stdout(lessonJson(lesson));
    else if (output === null && lesson.routes.length > 0) io.stdout(policyText(lesson, current.policy, current.kept));
    return lesson.routes.length > 0 ? EXIT.fine : EXIT.problems;
  },
};

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
async function currentOf(file: string | undefined, io: CommandIo): Promise<Current | null> {
  if (file === undefined) return { policy: openPolicy(), kept: FIRST_SECTIONS };
  const inputs = testInputs(io);
  const world = await openTestWorld(file, inputs);
  if (!world.ok) {
    for (const problem of world.error) io.stderr(problemLine(problem));
    return null;
  }
  const { snapshot } = world.value;
  world.value.close();
  const text = inputs.readFile(resolve(io.cwd, file));
  const kept = text.ok ? keptSections(text.value.toString()) : err(text.error);
  if (kept.ok) return { policy: currentPolicy(snapshot, kept.value.value), kept: kept.value };
  io.stderr(`postern learn: ${file} ${kept.error}\n`);
  return null;
}

/** Twice: who scans is known when all of it was seen. Gives how many lines could not be read. */
async function readRecords(
  records: readonly string[],
  learner: Learner,
  io: CommandIo,
): Promise<Result<number, string>> {
  let skipped = 0;
  for (const record of records) {
    const read = await eachRequest(record, io, (recorded) => learner.survey(recorded));
    if (!read.ok) return err(`${record} ${read.error}`);
    if (read.value.isOthers) io.stderr(`postern learn: ${record}: others may write it, and say in it what they like\n`);
    skipped += read.value.skipped;
  }
  for (const record of records) {
    learner.begin();
    const read = await eachRequest(record, io, (recorded) => learner.learn(recorded));
    if (!read.ok) return err(`${record} ${read.error}`);
  }
  return ok(skipped);
}

async function eachRequest(
  record: string,
  io: CommandIo,
  take: (recorded: RecordedRequest) => void,
): Promise<Result<{ skipped: number; isOthers: boolean }, string>> {
  const opened = await openLines(resolve(io.cwd, record));
  if (!opened.ok) return opened;
  const { handle, isOthers } = opened.value;
  let skipped = 0;
  try {
    for await (const lines of linesOf(handle)) {
      for (const { text } of lines) {
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
