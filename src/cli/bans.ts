import { shellWord } from "../support/shell-word.ts";
import { adminListCommand, listOf, memberOf, memberText } from "./admin-list.ts";
import type { Command } from "./command.ts";

export const bansCommand: Command = adminListCommand({
  name: "bans",
  summary: "Lists who is banned now, and lifts bans.",
  path: "/bans",
  entry: "ban",
  act: "lift",
  entryHelp: "of this ban of the policy alone",
  allHelp: "of 'lift': every key, or every ban, where none is named",
  example: `postern bans list --policy policy.yaml --ban scans
postern bans lift --policy policy.yaml --ban scans --key 192.0.2.7`,
  nowhereText: "the policy that runs has no bans",
  listText,
  actText: (answer) => {
    const count = Number(memberOf(answer, "lifted"));
    return `${count} ban${count === 1 ? " is" : "s are"} lifted\n`;
  },
});

function listText(answer: unknown): string {
  const bans = listOf(answer, "bans");
  if (bans.length === 0) return "no ban is counted yet\n";
  return bans.map(banText).join("\n");
}

function banText(ban: unknown): string {
  const banned = listOf(ban, "banned");
  const head = `${memberText(ban, "ban")} by ${memberText(ban, "by")}`;
  if (banned.length === 0) return `${head}: nobody is banned\n`;
  const rows = banned.map((one) => ({
    until: memberText(one, "until"),
    count: memberText(one, "count"),
    key: `${shellWord(memberText(one, "key"))}  ${memberText(one, "id")}`,
  }));
  const lines = [{ until: "until", count: "time", key: "key, id" }, ...rows].map(
    ({ until, count, key }) => `  ${until.padEnd(24)}  ${count.padStart(4)}  ${key}\n`,
  );
  const more = Number(memberOf(ban, "keys")) - banned.length;
  return `${head}\n${lines.join("")}${more > 0 ? `  and ${more} more keys\n` : ""}`;
}
