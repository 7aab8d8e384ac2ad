import { resolve } from "node:path";
import type { Detector } from "../filters/filter.ts";
import { AlarmReport, counted, type FieldAlarms, mendOf } from "./alarm-report.ts";
import { type Command, type CommandIo, EXIT, JSON_OPTION, misuse, type Options, parseOptions } from "./command.ts";
import { loadPolicy } from "./load-policy.ts";
import { CONFIGMAP_OPTION } from "./policy-reader.ts";
import { type Tell, withProgress } from "./progress.ts";
import { linesOf, openLines } from "./record-lines.ts";

const OPTIONS = {
  policy: { type: "string", short: "p", value: "FILE", text: "the policy whose detectors wrote them" },
  ...CONFIGMAP_OPTION,
  clients: {
    type: "string",
    value: "NUMBER",
    default: "2",
    text: "how many clients a field's alarms must have come from before something is proposed; 2 if absent",
  },
  ...JSON_OPTION,
} as const satisfies Options;

export const alarmsCommand: Command = {
  name: "alarms",
  summary: "Tells in which fields of honest requests a detector's rules found something, and what would end it.",
  usage: "--policy FILE [OPTION]... LOG...",
  options: OPTIONS,
  notes: `LOG is a file with lines of postern's log. For each field it proposes what closes it to the rules that alarmed: a pattern for its
schema, worked out from the rules' own patterns, which refuses other texts, or an entry of 'exclude', which lets them pass
unsearched. Attackers write alarms, too: look at the rules and clients before you take a proposal.`,
  example: `postern alarms --policy policy.yaml /var/log/postern.log
Exit code 0: told. 1: the policy has problems. 2: used wrongly.`,

  async run(args, io) {
    const parsed = parseOptions(args, OPTIONS);
    if (!parsed.ok) return misuse(alarmsCommand, parsed.error, io);
    const { values, positionals: logs } = parsed.value;
    const { policy } = values;
    if (policy === undefined) return misuse(alarmsCommand, "--policy FILE is missing", io);
    if (logs.length === 0) return misuse(alarmsCommand, "expected a file with lines of the log", io);
    const clientsMin = Number(values.clients);
    if (!Number.isInteger(clientsMin) || clientsMin < 1)
      return misuse(alarmsCommand, "--clients: expected a number, as in 2", io);
    const loaded = await loadPolicy(policy, io, false, values.configmap);
    if (loaded === null) return EXIT.problems;
    const detectors = new Map(loaded.snapshot.detectors.map((detector) => [detector.name, detector]));
    const isJson = values.json === true;
    return withProgress(io, isJson, (told, tell) => tellAlarms(logs, { detectors, clientsMin, isJson }, told, tell));
  },
};

interface Wanted {
  readonly detectors: ReadonlyMap<string, Detector>;
  readonly clientsMin: number;
  readonly isJson: boolean;
}

async function tellAlarms(logs: readonly string[], wanted: Wanted, io: CommandIo, tell: Tell): Promise<number> {
  const report = new AlarmReport();
  for (const log of logs) {
    const fault = await readLog(log, report, io, tell);
    if (fault !== null) return misuse(alarmsCommand, `${log} ${fault}`, io);
  }
  io.stdout(wanted.isJson ? jsonText(report, wanted) : alarmsText(report, wanted));
  return EXIT.fine;
}

/** What is wrong with the file; null for nothing. Lines that are no JSON are those of another program. */
async function readLog(log: string, report: AlarmReport, io: CommandIo, tell: Tell): Promise<string | null> {
  const opened = await openLines(resolve(io.cwd, log));
  if (!opened.ok) return opened.error;
  const { handle } = opened.value;
  try {
    for await (const lines of linesOf(handle)) {
      for (const { line, text } of lines) {
        tell(`${log}: line ${line}`);
        if (text?.includes('"detected"') === true) report.add(parsedOrNull(text));
      }
    }
    return null;
  } catch (error) {
    return `cannot be read: ${error instanceof Error && "code" in error ? String(error.code) : "defect"}`;
  } finally {
    await handle.close();
  }
}

function parsedOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function alarmsText(report: AlarmReport, wanted: Wanted): string {
  const fields = report.fields();
  if (fields.length === 0) return "no line tells of a rule that found something\n";
  const more = report.more > 0 ? `and hits in more fields than are kept: ${report.more}\n` : "";
  return fields.map((field) => fieldText(field, wanted)).join("\n") + more;
}

function fieldText(alarms: FieldAlarms, { detectors, clientsMin }: Wanted): string {
  const { route, detector, field, rules, requests, refused, clients } = alarms;
  const head = `${route}, ${detector}: ${field}: ${counted(requests, "request")} of ${counted(clients, "client")}, ${refused} refused or would be`;
  const told = [...rules].map(([id, { message, requests: of }]) => `  ${id} ${message}: ${of}`);
  if (clients < clientsMin) return [head, ...told, "  of too few clients to propose anything", ""].join("\n");
  const { pattern, exclude } = mendOf(alarms, detectors.get(detector));
  const schema = pattern === null ? [] : [`  in its schema:  pattern: ${JSON.stringify(pattern)}`];
  const fields = exclude.fields === undefined ? "" : `fields: ${JSON.stringify(exclude.fields)}, `;
  const entry = `{ rules: [${exclude.rules.join(", ")}], ${fields}because: ${JSON.stringify(exclude.because)} }`;
  return [head, ...told, ...schema, `  in 'exclude':   - ${entry}`, ""].join("\n");
}

function jsonText(report: AlarmReport, { detectors, clientsMin }: Wanted): string {
  const rows = report.fields().map((alarms) => {
    const { route, detector, field, requests, refused, clients } = alarms;
    const rules = [...alarms.rules].map(([rule, { message, requests: of }]) => ({ rule, message, requests: of }));
    const mend = clients < clientsMin ? null : mendOf(alarms, detectors.get(detector));
    return { route, detector, field, requests, refused, clients, rules, mend };
  });
  return `${JSON.stringify(rows, null, 2)}\n`;
}
