import { resolve } from "node:path";
import { readLine } from "../records/recorded-line.ts";
import { Replay } from "../rehearsal/replay.ts";
import { ReplayReport, replayText } from "../rehearsal/replay-report.ts";
import { openTestWorld } from "../rehearsal/test-world.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";
import { type Command, type CommandIo, EXIT, JSON_OPTION, misuse, type Options, parseOptions } from "./command.ts";
import { problemLine } from "./load-policy.ts";
import { CONFIGMAP_OPTION } from "./policy-reader.ts";
import { type Tell, withProgress } from "./progress.ts";
import { linesOf, type NumberedLine, openLines } from "./record-lines.ts";
import { testInputs } from "./test-inputs.ts";

const OPTIONS = {
  policy: { type: "string", short: "p", value: "NEW", text: "the policy that they are judged by" },
  ...CONFIGMAP_OPTION,
  "allow-changes": { type: "boolean", text: "exit code 0 although decisions would change" },
  ...JSON_OPTION,
} as const satisfies Options;

export const replayCommand: Command = {
  name: "replay",
  summary: "Judges recorded requests by another policy, and lists every decision that would change.",
  usage: "--policy NEW [OPTION]... RECORD...",
  options: OPTIONS,
  notes: `RECORD is a file that 'record' of a policy has had written, older ones first; or an access log: of postern, of nginx and
Apache (combined), of Envoy or HAProxy (their default texts), or JSON with the names that these have.`,
  example: `postern replay --policy next.yaml /var/lib/postern/decisions.old.jsonl /var/lib/postern/decisions.jsonl
Exit code 0: nothing would change. 1: something would, or the policy has problems. 2: used wrongly.`,

  async run(args, io) {
    const parsed = parseOptions(args, OPTIONS);
    if (!parsed.ok) return misuse(replayCommand, parsed.error, io);
    const { values, positionals: records } = parsed.value;
    if (values.policy === undefined) return misuse(replayCommand, "--policy NEW is missing", io);
    if (records.length === 0) return misuse(replayCommand, "expected the file of a record", io);
    const { policy } = values;
    const wanted = {
      configMap: values.configmap,
      isJson: values.json === true,
      mayChange: values["allow-changes"] === true,
    };
    return withProgress(io, wanted.isJson, (told, tell) => replayAll(policy, records, wanted, told, tell));
  },
};

interface Wanted {
  readonly isJson: boolean;
  readonly mayChange: boolean;
  readonly configMap: string | undefined;
}

async function replayAll(
  policy: string,
  records: readonly string[],
  { isJson, mayChange, configMap }: Wanted,
  io: CommandIo,
  tell: Tell,
): Promise<number> {
  const world = await openTestWorld(policy, { ...testInputs(io, configMap), keysMax: DEFAULTS.replayKeysMax });
  if (!world.ok) {
    for (const problem of world.error) io.stderr(problemLine(problem));
    return EXIT.problems;
  }
  const replay = new Replay(world.value, testInputs(io).timers);
  const report = new ReplayReport();
  for (const record of records) {
    const done = await replayFile(record, replay, report, io, tell);
    if (!done.ok) {
      world.value.close();
      return misuse(replayCommand, `${record} ${done.error}`, io);
    }
  }
  world.value.close();
  io.stdout(isJson ? jsonText(report) : replayText(report));
  return report.changed === 0 || mayChange ? EXIT.fine : EXIT.problems;
}

async function replayFile(
  record: string,
  replay: Replay,
  report: ReplayReport,
  io: CommandIo,
  tell: Tell,
): Promise<Result<null, string>> {
  const opened = await openLines(resolve(io.cwd, record));
  if (!opened.ok) return opened;
  const { handle, isOthers } = opened.value;
  if (isOthers) io.stderr(`postern replay: ${record}: others may write it, and say in it what they like\n`);
  try {
    for await (const lines of linesOf(handle)) await replayLines(record, lines, replay, report, tell);
    return ok(null);
  } catch (error) {
    return err(`cannot be read: ${error instanceof Error && "code" in error ? String(error.code) : "defect"}`);
  } finally {
    await handle.close();
  }
}

async function replayLines(
  record: string,
  lines: readonly NumberedLine[],
  replay: Replay,
  report: ReplayReport,
  tell: Tell,
): Promise<void> {
  for (const { line, text } of lines) {
    tell(`${record}: line ${line}`);
    const place = `${record}:${line}`;
    const read = text === null ? err("a line longer than any of a record") : readLine(text);
    if (!read.ok) report.skip(place, read.error);
    else if (read.value !== null) {
      const replayed = replay.request(read.value);
      report.note(replayed instanceof Promise ? await replayed : replayed, place);
    }
  }
}

function jsonText(report: ReplayReport): string {
  const { records, same, changed, undecided, skipped, untold, firstSkipped } = report;
  const told = {
    records,
    same,
    changed,
    undecided,
    skipped,
    untold: Object.fromEntries(untold),
    skippedLines: firstSkipped,
    changes: report.rows(),
  };
  return `${JSON.stringify(told, null, 2)}\n`;
}
