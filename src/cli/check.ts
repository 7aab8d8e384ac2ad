import { readTestFiles } from "../daemon/policy-tests.ts";
import type { ReadFile } from "../daemon/regular-file.ts";
import { LINT_RULES, type Severity, severityRank } from "../decision/lint-rule.ts";
import type { Examination } from "../policy/compile.ts";
import { rungRest, rungText } from "../policy/rungs.ts";
import type { Problem, Rung, Snapshot, Warning } from "../policy/snapshot.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { type Paint, painter } from "../support/paint.ts";
import { ruleNotes, rulesText } from "./check-rules.ts";
import { type Command, type CommandIo, EXIT, misuse, type Options, parseOptions } from "./command.ts";
import { examineFile, placedIn, problemLine, type Scope } from "./load-policy.ts";
import { CONFIGMAP_OPTION } from "./policy-reader.ts";
import { type Tell, withProgress } from "./progress.ts";
import { testInputs } from "./test-inputs.ts";

const OPTIONS = {
  online: {
    type: "boolean",
    default: false,
    text: "also tries once whatever the policy depends on elsewhere, as an identity provider's keys",
  },
  offline: {
    type: "boolean",
    default: false,
    text: "where secrets and certificates are not at hand, as in CI: files that are missing are listed, no problems",
  },
  rules: {
    type: "boolean",
    default: false,
    text: "what becomes of each rule of the policy's detectors, and how many are left to search on each route",
  },
  info: {
    type: "boolean",
    default: false,
    text: "also what is worth a look and no mistake by itself; --json has it always",
  },
  "fail-on": {
    type: "string",
    default: "error",
    value: "error|warning|info",
    text: "from what severity on a finding ends with 1; error if absent",
  },
  ...CONFIGMAP_OPTION,
  watch: { type: "boolean", default: false, text: "looks again when a policy or a file that it names changes" },
  json: { type: "boolean", default: false, text: "for machines" },
} as const satisfies Options;

export const checkCommand: Command = {
  name: "check",
  summary: "Finds every problem of policies, each as file:line:column: text, and lists what does not enforce.",
  usage: "[--offline | --online] [--rules] [--info] [--fail-on SEVERITY] [--configmap NAME] [--watch | --json] FILE...",
  options: OPTIONS,
  example:
    "postern check policy.yaml\nExit code 0: no problem, no finding of severity error. 1: there is one. 2: used wrongly.",
  async run(args, io) {
    const parsed = parseOptions(args, OPTIONS);
    if (!parsed.ok) return misuse(checkCommand, parsed.error, io);
    const { values, positionals } = parsed.value;
    if (positionals.length === 0) return misuse(checkCommand, "expected the name of a policy", io);
    if (values.offline && values.online) return misuse(checkCommand, "expected --offline or --online, not both", io);
    const failOn = values["fail-on"];
    if (!isSeverity(failOn)) return misuse(checkCommand, "--fail-on: expected error, warning or info", io);
    const scope = values.offline ? "offline" : values.online ? "online" : "here";
    const { json, rules, info, configmap: configMap } = values;
    const options = { json, rules, info, failOn, scope, configMap } as const;
    if (!values.watch)
      return withProgress(io, json, (told, tell) => check(positionals, told, options, undefined, tell));
    if (json) return misuse(checkCommand, "--watch is for a person, and --json for machines", io);
    const { watchFiles } = await import("./watch-files.ts");
    return watchFiles(positionals, io, (read, told) => check(positionals, told, options, read));
  },
};

interface CheckOptions {
  readonly json: boolean;
  readonly rules: boolean;
  readonly info: boolean;
  readonly failOn: Severity;
  readonly scope: Scope;
  readonly configMap: string | undefined;
}

/** A policy, and what became of trying what it depends on elsewhere. */
interface Checked extends Examination {
  readonly tried: readonly Tried[];
}

interface Tried {
  readonly kind: string;
  readonly name: string;
  readonly isFine: boolean;
  readonly text: string;
}

/** Looks at each policy and tells on stdout what is wrong with it; 1 where there is any problem, warnings apart. */
async function check(
  files: readonly string[],
  io: CommandIo,
  options: CheckOptions,
  read?: ReadFile,
  tell: Tell = () => {},
): Promise<number> {
  const examined: Checked[] = [];
  for (const file of files) {
    tell(file);
    const examination = await examineFile(file, io, options.scope, options.configMap, read);
    const tried = options.scope === "online" ? await tryResources(examination.snapshot) : [];
    const inTests = await readTestFiles(file, {
      ...testInputs(io, options.configMap, read),
      isOffline: options.scope === "offline",
    });
    const problems = [...examination.problems, ...placedIn(file, inTests.problems, io.cwd)];
    const absent = [...examination.absent, ...placedIn(file, inTests.absent, io.cwd)];
    examined.push({ ...examination, problems, absent, tried });
  }
  if (options.json) {
    const rules = options.rules
      ? examined.flatMap(({ snapshot }) => (snapshot === null ? [] : ruleNotes(snapshot)))
      : [];
    io.stdout(`${JSON.stringify([...examined.flatMap(jsonLines), ...rules], null, 2)}\n`);
  } else
    for (const [at, file] of files.entries()) {
      const snapshot = examined[at]?.snapshot ?? null;
      io.stdout(textLines(file, examined[at], options, painter(io.colour === true)));
      if (options.rules && snapshot !== null) io.stdout(rulesText(file, snapshot));
    }
  const isGrave = ({ rule }: Warning): boolean =>
    severityRank(LINT_RULES[rule].severity) >= severityRank(options.failOn);
  const isFine = examined.every(
    ({ problems, warnings, tried }) =>
      problems.length === 0 && !warnings.some(isGrave) && tried.every((one) => one.isFine),
  );
  return isFine ? EXIT.fine : EXIT.problems;
}

async function tryResources(snapshot: Snapshot | null): Promise<Tried[]> {
  const resources = [...(snapshot?.resources.values() ?? [])];
  const tried = await Promise.all(
    resources.map(async (resource): Promise<Tried> => {
      const { kind, name } = resource;
      const answer = await resource.tryOnce();
      return { kind, name, isFine: answer.ok, text: answer.ok ? answer.value : answer.error };
    }),
  );
  for (const resource of resources) resource.close();
  return tried;
}

function isSeverity(text: string): text is Severity {
  return text === "error" || text === "warning" || text === "info";
}

function textLines(file: string, examination: Checked | undefined, { info }: CheckOptions, paint: Paint): string {
  if (examination === undefined) return "";
  const { problems, absent, tried } = examination;
  const warnings = examination.warnings.filter((one) => info || !isInfo(one));
  const lines = [
    ...problems.map((problem) => paint("red", problemLine(problem))),
    ...warnings.map((one) => warningLine(one, paint)),
    ...noteLines(file, rungsIn(examination)),
    ...absent.map((one) => problemLine(one, "not looked at: ")),
    ...tried.map(
      ({ kind, name, isFine, text }) => `${file}: ${isFine ? "online" : "problem"}: ${kind} ${name}: ${text}\n`,
    ),
  ];
  if (problems.length > 0) return lines.join("");
  const failed = tried.filter(({ isFine }) => !isFine).length;
  const elsewhere = failed === 0 ? "" : ` in the file, ${failed} with what it depends on`;
  const seen = absent.length === 0 ? elsewhere : " in what is here";
  const { length: silenced } = examination.silenced;
  const said = warnings.length === 0 ? "" : ", see warnings";
  lines.push(`${file}: no problems${seen}${said}${silenced === 0 ? "" : `; ${silenced} silenced`}\n`);
  return lines.join("");
}

/** With its mend, where the text does not end with one, and the rule's name for `# postern: allow`. */
function warningLine({ place, text, rule }: Warning, paint: Paint): string {
  const { severity, mend } = LINT_RULES[rule];
  const hasMend = /; (?:expected|did you mean) /.test(text);
  return problemLine(
    { place, text: `${text}${hasMend ? "" : `; ${mend}`} [${rule}]` },
    `${paint(severity === "error" ? "red" : "yellow", severity)}: `,
  );
}

/**
 * What does not enforce, less what a warning told already, and the routes that a line or a warning only counts. Each
 * check comes before the rest of any one's routes: a rollout of a thousand routes does not hide the others.
 */
function noteLines(file: string, rungs: readonly Rung[]): readonly string[] {
  const heads = rungs.filter(({ name }) => name !== "authenticate").map(headOf);
  const notes = [...heads, ...rungs.flatMap(rungRest)];
  const shown = notes.slice(0, DEFAULTS.rungLinesMax).map((note) => problemLine(note, "note: "));
  const rest = notes.length - shown.length;
  return rest === 0 ? shown : [...shown, `${file}: note: ${rest} more do not enforce; --json has them all\n`];
}

function headOf(rung: Rung): Problem {
  return { place: rung.place, text: rungText(rung) };
}

function rungsIn({ snapshot }: Examination): readonly Rung[] {
  return snapshot === null ? [] : snapshot.rungs;
}

function isInfo({ rule }: Warning): boolean {
  return LINT_RULES[rule].severity === "info";
}

function ruleOf({ rule }: Warning): { readonly rule: string; readonly mend: string } {
  return { rule, mend: LINT_RULES[rule].mend };
}

function jsonLines(examination: Checked): readonly Record<string, unknown>[] {
  const { problems, warnings, silenced, absent, tried } = examination;
  const line = (severity: string, { place, text }: Problem) => ({ severity, ...place, text });
  const lint = (one: Warning) => ({ ...line(LINT_RULES[one.rule].severity, one), ...ruleOf(one) });
  const note = (rung: Rung) => ({
    ...line("note", { place: rung.place, text: rungText(rung) }),
    check: rung.name,
    enforcePercent: rung.enforcePercent,
    routes: rung.routes.map(({ template, methods, place }) => ({ template, methods, line: place.line })),
  });
  return [
    ...problems.map((one) => line("problem", one)),
    ...warnings.filter((one) => !isInfo(one)).map(lint),
    ...silenced.map(({ warning, because, place }) => ({
      ...line("silenced", warning),
      ...ruleOf(warning),
      because,
      allowedAt: { file: place.file, line: place.line },
    })),
    ...rungsIn(examination).map(note),
    ...absent.map((one) => line("not_looked_at", one)),
    ...tried.map(({ isFine, ...one }) => ({ severity: isFine ? "online" : "problem", ...one })),
    ...warnings.filter(isInfo).map(lint),
  ];
}
