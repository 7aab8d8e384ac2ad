import { ADMIN_OPTIONS, adminTarget, askAdmin } from "./admin-client.ts";
import { listOf, memberOf, memberText } from "./admin-list.ts";
import { type Command, EXIT, JSON_OPTION, misuse, parseOptions } from "./command.ts";

const OPTIONS = { ...ADMIN_OPTIONS, ...JSON_OPTION } as const;

export const ladderCommand: Command = {
  name: "ladder",
  summary: "Tells what checks that do not enforce would have denied, and to whom.",
  usage: "(--policy FILE | --address HOST:PORT) [--json]",
  options: OPTIONS,
  example: `postern ladder --policy policy.yaml
Exit code 0: told. 1: nobody answers. 2: used wrongly.`,
  async run(args, io) {
    const parsed = parseOptions(args, OPTIONS);
    if (!parsed.ok) return misuse(ladderCommand, parsed.error, io);
    const { values, positionals } = parsed.value;
    if (positionals.length > 0) return misuse(ladderCommand, `'${positionals[0]}' is not expected`, io);
    const target = await adminTarget(values, io);
    if (!target.ok && target.error.isMisuse) return misuse(ladderCommand, target.error.text, io);
    const answer = target.ok ? await askAdmin(target.value, "GET", "/ladder") : target;
    if (!answer.ok) {
      io.stderr(`postern ladder: ${answer.error.text}\n`);
      return EXIT.problems;
    }
    io.stdout(values.json === true ? `${JSON.stringify(answer.value, null, 2)}\n` : ladderText(answer.value));
    return EXIT.fine;
  },
};

function ladderText(answer: unknown): string {
  const checks = listOf(answer, "checks");
  if (checks.length === 0) return "every check enforces\n";
  const more = Number(memberOf(answer, "more"));
  return checks.map(checkText).join("\n") + (more > 0 ? `\nand ${more} more checks\n` : "");
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
