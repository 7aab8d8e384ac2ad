import { ADMIN_OPTIONS, ADMIN_OPTIONS_HELP, type AdminFault, adminTarget, askAdmin } from "./admin-client.ts";
import { type Command, type CommandIo, EXIT, misuse, parseOptions } from "./command.ts";
import { shellWord } from "./shell-word.ts";

const OPTIONS = {
  ...ADMIN_OPTIONS,
  limit: { type: "string" },
  key: { type: "string" },
  all: { type: "boolean" },
  json: { type: "boolean" },
} as const;

export const quotaCommand: Command = {
  name: "quota",
  summary: "Lists what callers have used of their quotas, and gives it back to them.",
  usage:
    "list (--policy FILE | --address HOST:PORT) [--limit NAME] [--key KEY] [--json]\nreset (--policy FILE | --address HOST:PORT) [--limit NAME] [--key KEY] [--all] [--json]",
  options: `${ADMIN_OPTIONS_HELP}
    --limit NAME         of this quota alone
    --key KEY            of this key alone, as 'list' shows it or its id
    --all                of 'reset': every key, or every quota, where none is named
    --json               for machines`,
  example: `postern quota list --policy policy.yaml --limit daily
postern quota reset --policy policy.yaml --limit daily --key 'principal okta/alice'
Exit code 0: done. 1: not done, or nobody answers. 2: used wrongly.`,

  async run(args, io) {
    const parsed = parseOptions(args, OPTIONS);
    if (!parsed.ok) return misuse(quotaCommand, parsed.error, io);
    const { values, positionals } = parsed.value;
    const [word, ...rest] = positionals;
    if ((word !== "list" && word !== "reset") || rest.length > 0) {
      return misuse(quotaCommand, "expected 'list' or 'reset'", io);
    }
    if (word === "list" && values.all === true) return misuse(quotaCommand, "--all goes with 'reset'", io);
    if (word === "reset" && values.all !== true && (values.limit === undefined || values.key === undefined)) {
      return misuse(quotaCommand, "expected --limit NAME and --key KEY, or --all in place of what is not named", io);
    }
    const target = await adminTarget(values, io);
    if (!target.ok)
      return target.error.isMisuse ? misuse(quotaCommand, target.error.text, io) : fail(target.error.text, io);
    const { limit, key, all } = values;
    const answer =
      word === "list"
        ? await askAdmin(target.value, "GET", `/quotas${queryOf({ limit, key })}`)
        : await askAdmin(target.value, "POST", "/quotas/reset", { limit, key, all });
    if (!answer.ok) return fail(isNowhere(answer.error) ? "the policy that runs has no quota" : answer.error.text, io);
    if (values.json === true) io.stdout(`${JSON.stringify(answer.value, null, 2)}\n`);
    else io.stdout(word === "list" ? listText(answer.value) : resetText(answer.value));
    return EXIT.fine;
  },
};

/** The port has no such page: it comes with the first quota of a policy. */
function isNowhere({ status, text }: AdminFault): boolean {
  return status === 405 || (status === 404 && text.startsWith("there are /"));
}

function fail(text: string, io: CommandIo): number {
  io.stderr(`postern quota: ${text}\n`);
  return EXIT.problems;
}

function queryOf(values: Readonly<Record<string, string | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== undefined) query.set(name, value);
  return query.size === 0 ? "" : `?${query}`;
}

function listText(answer: unknown): string {
  const quotas = listOf(answer, "quotas");
  if (quotas.length === 0) return "no quota is counted yet\n";
  return quotas.map(quotaText).join("\n");
}

function quotaText(quota: unknown): string {
  const counts = listOf(quota, "counts");
  const keys = Number(of(quota, "keys"));
  const head = `${text(quota, "limit")}: ${text(quota, "quota")}/${text(quota, "per")} by ${text(quota, "by")}, until ${text(quota, "until")}`;
  if (counts.length === 0) return `${head}: nothing is used\n`;
  const rows = counts.map((count) => ({
    used: text(count, "used"),
    left: text(count, "remaining"),
    key: of(count, "key") === null ? text(count, "id") : `${shellWord(text(count, "key"))}  ${text(count, "id")}`,
  }));
  const width = Math.max(4, ...rows.flatMap(({ used, left }) => [used.length, left.length]));
  const lines = [{ used: "used", left: "left", key: "key, id" }, ...rows].map(
    ({ used, left, key }) => `  ${used.padStart(width)}  ${left.padStart(width)}  ${key}\n`,
  );
  const more = keys > counts.length ? `  and ${keys - counts.length} more keys\n` : "";
  return `${head}\n${lines.join("")}${more}`;
}

function resetText(answer: unknown): string {
  const count = Number(of(answer, "reset"));
  return `${count} key${count === 1 ? "" : "s"} begin${count === 1 ? "s" : ""} anew\n`;
}

function of(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

function listOf(value: unknown, name: string): readonly unknown[] {
  const list = of(value, name);
  return Array.isArray(list) ? list : [];
}

/** Labels hold what clients chose: nothing of it may steer a terminal. */
function text(value: unknown, name: string): string {
  return String(of(value, name)).replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, "\ufffd");
}
