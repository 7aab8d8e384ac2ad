import { shellWord } from "../support/shell-word.ts";
import { adminListCommand, listOf, memberOf, memberText } from "./admin-list.ts";
import type { Command } from "./command.ts";

export const quotaCommand: Command = adminListCommand({
  name: "quota",
  summary: "Lists what callers have used of their quotas, and gives it back to them.",
  path: "/quotas",
  entry: "limit",
  act: "reset",
  entryHelp: "of this quota alone",
  allHelp: "of 'reset': every key, or every quota, where none is named",
  example: `postern quota list --policy policy.yaml --limit daily
postern quota reset --policy policy.yaml --limit daily --key 'principal okta/alice'`,
  nowhereText: "the policy that runs has no quota",
  listText,
  actText: resetText,
});

function listText(answer: unknown): string {
  const quotas = listOf(answer, "quotas");
  if (quotas.length === 0) return "no quota is counted yet\n";
  return quotas.map(quotaText).join("\n");
}

function quotaText(quota: unknown): string {
  const counts = listOf(quota, "counts");
  const keys = Number(memberOf(quota, "keys"));
  const head = `${memberText(quota, "limit")}: ${memberText(quota, "quota")}/${memberText(quota, "per")} by ${memberText(quota, "by")}${storeText(quota)}, until ${memberText(quota, "until")}`;
  if (counts.length === 0) return `${head}: nothing is used\n`;
  const rows = counts.map((count) => ({
    used: memberText(count, "used"),
    left: memberText(count, "remaining"),
    key:
      memberOf(count, "key") === null
        ? memberText(count, "id")
        : `${shellWord(memberText(count, "key"))}  ${memberText(count, "id")}`,
  }));
  const width = Math.max(4, ...rows.flatMap(({ used, left }) => [used.length, left.length]));
  const lines = [{ used: "used", left: "left", key: "key, id" }, ...rows].map(
    ({ used, left, key }) => `  ${used.padStart(width)}  ${left.padStart(width)}  ${key}\n`,
  );
  const more = keys > counts.length ? `  and ${keys - counts.length} more keys\n` : "";
  return `${head}\n${lines.join("")}${more}`;
}

/** What a store has is listed by key alone. */
function storeText(quota: unknown): string {
  return memberOf(quota, "store") === undefined ? "" : ` in store ${memberText(quota, "store")}`;
}

function resetText(answer: unknown): string {
  const count = Number(memberOf(answer, "reset"));
  return `${count} key${count === 1 ? "" : "s"} begin${count === 1 ? "s" : ""} anew\n`;
}
