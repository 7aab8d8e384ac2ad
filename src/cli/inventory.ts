import { STATUSES } from "../inventory/entry.ts";
import { FINDINGS } from "../inventory/findings.ts";
import { ok, type Result } from "../support/result.ts";
import { ADMIN_OPTIONS, type AdminFault, type AdminTarget, adminTarget, askAdmin } from "./admin-client.ts";
import { listOf, memberOf, memberText } from "./admin-list.ts";
import { type Command, type CommandIo, EXIT, misuse, type Options, parseOptions } from "./command.ts";
import { textTable } from "./text-table.ts";

const OPTIONS = {
  ...ADMIN_OPTIONS,
  status: { type: "string", value: STATUSES.join("|"), text: "of these alone" },
  json: { type: "boolean", text: "for machines, with callers, kinds of data and times" },
  openapi: { type: "boolean", text: "what was answered, as an OpenAPI 3.1 document" },
  overlay: { type: "boolean", text: "what was seen, as an OpenAPI Overlay of a document that the policy has" },
  document: { type: "string", value: "FILE", text: "which document, where it has several" },
} as const satisfies Options;

export const inventoryCommand: Command = {
  name: "inventory",
  summary: "Lists what the API is seen to be: used, dead, undeclared, and what there is to say of it.",
  usage: `(--policy FILE | --address HOST:PORT) [--status STATUS] [--json]
(--policy FILE | --address HOST:PORT) --openapi
(--policy FILE | --address HOST:PORT) --overlay [--document FILE]`,
  options: OPTIONS,
  example: `postern inventory --policy policy.yaml --status undeclared
Exit code 0: done. 1: not done, or nobody answers. 2: used wrongly.`,
  async run(args, io) {
    const parsed = parseOptions(args, OPTIONS);
    if (!parsed.ok) return misuse(inventoryCommand, parsed.error, io);
    const { values, positionals } = parsed.value;
    const { status, json = false, openapi = false, overlay = false, document } = values;
    if (positionals.length > 0) return misuse(inventoryCommand, `unexpected '${positionals[0]}'`, io);
    if ([json, openapi, overlay].filter(Boolean).length > 1) {
      return misuse(inventoryCommand, "expected one of --json, --openapi and --overlay", io);
    }
    if (status !== undefined && (openapi || overlay || !STATUSES.some((one) => one === status))) {
      return misuse(inventoryCommand, `expected --status of: ${STATUSES.join(", ")}, for a list`, io);
    }
    if (document !== undefined && !overlay) return misuse(inventoryCommand, "--document goes with --overlay", io);
    const target = await adminTarget(values, io);
    if (!target.ok) {
      return target.error.isMisuse ? misuse(inventoryCommand, target.error.text, io) : fail(target.error.text, io);
    }
    if (openapi || overlay) {
      const query = new URLSearchParams({
        as: openapi ? "openapi" : "overlay",
        ...(document === undefined ? {} : { document }),
      });
      return print(await askAdmin(target.value, "GET", `/inventory?${query}`), jsonText, io);
    }
    const text = (value: unknown): string => listText(value, status === "probed");
    return print(await listAll(target.value, status), json ? jsonText : text, io);
  },
};

/** All of it, of which one answer may hold a part. */
async function listAll(target: AdminTarget, status: string | undefined): Promise<Result<unknown, AdminFault>> {
  const operations: unknown[] = [];
  for (;;) {
    const query = new URLSearchParams({ from: String(operations.length), ...(status === undefined ? {} : { status }) });
    const answer = await askAdmin(target, "GET", `/inventory?${query}`);
    if (!answer.ok) return answer;
    const told = listOf(answer.value, "operations");
    operations.push(...told);
    if (Number(memberOf(answer.value, "more")) === 0 || told.length === 0) {
      return ok({ ...Object(answer.value), operations });
    }
  }
}

function print(answer: Result<unknown, AdminFault>, text: (value: unknown) => string, io: CommandIo): number {
  if (!answer.ok) return fail(inventoryFault(answer.error), io);
  io.stdout(text(answer.value));
  return EXIT.fine;
}

/** What to do where the port has no such page. */
export function inventoryFault({ status, text }: AdminFault): string {
  const isNowhere = status === 404 && text.startsWith("there are ");
  return isNowhere ? "this postern has no inventory; its policy wants 'inventory: {}'" : text;
}

function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function listText(answer: unknown, areAllProbed: boolean): string {
  const operations = listOf(answer, "operations");
  const counts = memberOf(answer, "counts");
  const words = STATUSES.map((status) => `${memberText(counts, status)} ${status}`).join(", ");
  const head = `${memberText(answer, "service")} since ${memberText(answer, "since")}: ${words}\n`;
  if (operations.length === 0) return `${head}nothing to list\n`;
  const isProbed = (operation: unknown): boolean => memberOf(operation, "status") === "probed";
  const real = operations.filter((operation) => !isProbed(operation));
  const probed = operations.filter(isProbed).toSorted((a, b) => requestsOf(b) - requestsOf(a));
  const shown = areAllProbed ? probed : probed.slice(0, PROBED_SHOWN);
  const table = textTable(
    ["status", "method", "path", "requests", "last", "exposure", "threat", "callers", "findings"],
    [...real, ...shown].map(operationCells),
  );
  const hidden = probed.length - shown.length;
  const more = hidden > 0 ? `\n${hidden} more are merely probed: --status probed\n` : "";
  const gone = Number(memberOf(answer, "probedGone"));
  const forgotten = gone > 0 ? `\n${gone} more were probed, and are forgotten\n` : "";
  return `${head}\n${table}${more}${forgotten}${findingsText(operations)}`;
}

/** So many of what a scanner tries stand behind what there is. */
const PROBED_SHOWN = 20;

function requestsOf(operation: unknown): number {
  return Number(memberOf(operation, "requests"));
}

function operationCells(operation: unknown): readonly (string | number)[] {
  const cell = (name: string): string => memberText(operation, name);
  const last = memberOf(operation, "last");
  const sensitive = listOf(operation, "sensitive").map(
    (one) => `${memberText(one, "kind")} in ${memberText(one, "way")}`,
  );
  const findings = listOf(operation, "findings").map(String);
  return [
    cell("status"),
    cell("method"),
    cell("path"),
    requestsOf(operation),
    typeof last === "string" ? last.slice(0, 16) : "never",
    cell("exposure"),
    cell("threat"),
    callersText(operation),
    [...findings, ...sensitive].join(", ").replace(/[^\x20-\x7e]/g, "\ufffd") || "-",
  ];
}

function callersText(operation: unknown): string {
  const callers = listOf(operation, "callers").map((one) => memberText(one, "caller"));
  const anonymous = Number(memberOf(operation, "anonymous") ?? 0) > 0 ? ["anonymous"] : [];
  const more = callers.length - CALLERS_SHOWN + Number(memberOf(operation, "callersMore") ?? 0);
  const others = Number(memberOf(operation, "callersGone") ?? 0) > 0 ? " and others" : "";
  const shown = [...anonymous, ...callers.slice(0, CALLERS_SHOWN)];
  return shown.length === 0 ? "-" : `${shown.join(", ")}${more > 0 ? ` +${more}` : ""}${others}`;
}

const CALLERS_SHOWN = 2;

/** What the words of the list mean, of those that it has. */
function findingsText(operations: readonly unknown[]): string {
  const seen = new Set(operations.flatMap((operation) => listOf(operation, "findings")));
  const rows = Object.entries(FINDINGS)
    .filter(([name]) => seen.has(name))
    .map(([name, { text }]) => `${name}: ${text}\n`);
  return rows.length === 0 ? "" : `\n${rows.join("")}`;
}

function fail(text: string, io: CommandIo): number {
  io.stderr(`postern inventory: ${text}\n`);
  return EXIT.problems;
}
