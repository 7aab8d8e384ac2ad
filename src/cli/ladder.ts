import { ADMIN_OPTIONS, adminTarget, askAdmin } from "./admin-client.ts";
import { listOf, memberOf, memberText } from "./admin-list.ts";
import { type Command, EXIT, JSON_OPTION, misuse, parseOptions } from "./command.ts";

const OPTIONS = {
  ...ADMIN_OPTIONS,
  for: { type: "string", value: "TIME", text: "of 'set': how long, at most 24h; 1h if absent" },
  ...JSON_OPTION,
} as const;

/** What is asked of the admin port; null for what it shows. */
interface Act {
  readonly word: "set" | "unset" | "clear";
  readonly settings: Readonly<Record<string, string>>;
}

export const ladderCommand: Command = {
  name: "ladder",
  summary: "Tells what checks that do not enforce would have denied, and has one stand on another step for a while.",
  usage: `(--policy FILE | --address HOST:PORT) [--json]
set CHECK MODE [--for TIME] (--policy FILE | --address HOST:PORT) [--json]
unset CHECK (--policy FILE | --address HOST:PORT) [--json]
clear (--policy FILE | --address HOST:PORT) [--json]`,
  words: ["set", "unset", "clear"],
  options: OPTIONS,
  notes: `CHECK is its place, as the list and log lines show it, policy.yaml:31:7, or its name, as limits.perCaller or
'authorize of GET /v1/orders'. MODE is off, audit, a share of callers, as 5%, or enforce.`,
  example: `postern ladder --policy policy.yaml
postern ladder set policy.yaml:31:7 audit --for 1h --policy policy.yaml
Exit code 0: told, or done. 1: not done, or nobody answers. 2: used wrongly.`,
  async run(args, io) {
    const parsed = parseOptions(args, OPTIONS);
    if (!parsed.ok) return misuse(ladderCommand, parsed.error, io);
    const { values, positionals } = parsed.value;
    const act = actOf(positionals, values.for);
    if (typeof act === "string") return misuse(ladderCommand, act, io);
    const target = await adminTarget(values, io);
    if (!target.ok && target.error.isMisuse) return misuse(ladderCommand, target.error.text, io);
    const asked = (to: Parameters<typeof askAdmin>[0]) =>
      act === null ? askAdmin(to, "GET", "/ladder") : askAdmin(to, "POST", `/ladder/${act.word}`, act.settings);
    const answer = target.ok ? await asked(target.value) : target;
    if (!answer.ok) {
      io.stderr(`postern ladder: ${answer.error.text}\n`);
      return EXIT.problems;
    }
    io.stdout(values.json === true ? `${JSON.stringify(answer.value, null, 2)}\n` : told(act, answer.value));
    return EXIT.fine;
  },
};

/** Null where somebody wants to see; a text where the words make no sense. */
function actOf([word, ...rest]: readonly string[], time: string | undefined): Act | string | null {
  const [check, mode] = rest;
  if (time !== undefined && word !== "set") return "--for goes with 'set'";
  if (word === undefined) return null;
  if (word === "set") {
    if (check === undefined || mode === undefined || rest.length > 2) return "expected 'set CHECK MODE'";
    return { word, settings: { check, mode, ...(time === undefined ? {} : { for: time }) } };
  }
  if (word === "unset")
    return check === undefined || rest.length > 1 ? "expected 'unset CHECK'" : { word, settings: { check } };
  if (word === "clear" && rest.length === 0) return { word, settings: {} };
  return "expected nothing, 'set CHECK MODE', 'unset CHECK' or 'clear'";
}

function told(act: Act | null, answer: unknown): string {
  if (act === null) return ladderText(answer);
  if (act.word === "set") return stepText(answer);
  const ended = listOf(answer, "ended").map(String);
  if (ended.length === 0) return "no step was set\n";
  return ended.map((check) => `${check} stands where the policy has it\n`).join("");
}

function ladderText(answer: unknown): string {
  const checks = listOf(answer, "checks");
  const steps = listOf(answer, "steps").map(stepText).join("");
  if (checks.length === 0) return steps === "" ? "every check enforces\n" : steps;
  const more = Number(memberOf(answer, "more"));
  const head = steps === "" ? "" : `${steps}\n`;
  return head + checks.map(checkText).join("\n") + (more > 0 ? `\nand ${more} more checks\n` : "");
}

/** A step that somebody has set. */
function stepText(step: unknown): string {
  const [mode, was] = [memberText(step, "mode"), memberText(step, "was")];
  return `${memberText(step, "check")}: ${mode} until ${memberText(step, "until")}, then ${was} again (${routesText(step)})\n`;
}

/** The check with its routes, and a line for each of those whom it would have denied. */
function checkText(check: unknown): string {
  const place = memberOf(check, "place");
  const where = `${memberText(place, "file")}:${memberText(place, "line")}:${memberText(place, "column")}`;
  const head = `${memberText(check, "check")} (${memberText(check, "mode")}) at ${where}: ${routesText(check)}`;
  if (memberOf(check, "mode") === "off") return `${head}\n  nobody asks it\n`;
  const denials = Number(memberOf(check, "denials"));
  if (denials === 0) return `${head}\n  would have denied nothing\n`;
  const lines = [
    `  would have denied ${denials} request${denials === 1 ? "" : "s"}: ${countsText(check, "reasons")}`,
    `  on ${countsText(check, "deniedRoutes")}`,
    ...rowsOf(check, "callers").map(({ count, key }) => `  ${String(count).padStart(8)}  ${key}`),
  ];
  return `${head}\n${lines.join("\n")}\n`;
}

function routesText(check: unknown): string {
  const routes = listOf(check, "routes").map(String);
  const more = Number(memberOf(check, "moreRoutes"));
  if (routes.length === 0) return "every request";
  return `${routes.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

interface Row {
  readonly key: string;
  readonly count: number;
}

/** Those that are named, and behind them all others together. */
export function rowsOf(value: unknown, name: string): readonly Row[] {
  const top = memberOf(value, name);
  const rows = listOf(top, "list").map((one) => ({
    key: memberText(one, "key"),
    count: Number(memberOf(one, "count")),
  }));
  const other = Number(memberOf(top, "other"));
  return other > 0 ? [...rows, { key: "all others", count: other }] : rows;
}

function countsText(value: unknown, name: string): string {
  return rowsOf(value, name)
    .map(({ key, count }) => `${key} (${count})`)
    .join(", ");
}
