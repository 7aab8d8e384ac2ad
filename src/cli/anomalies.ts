import { KINDS } from "../anomalies/kinds.ts";
import { shellWord } from "../support/shell-word.ts";
import { adminListCommand, listOf, memberOf, memberText } from "./admin-list.ts";
import type { Command } from "./command.ts";

export const anomaliesCommand: Command = adminListCommand({
  name: "anomalies",
  summary: "Lists what is unusual, and takes word that it is as it should be.",
  path: "/anomalies",
  entry: "kind",
  entries: KINDS,
  act: "accept",
  entryHelp: "of this kind alone",
  allHelp: "of 'accept': each that is there, or each of the kind",
  example: `postern anomalies list --policy policy.yaml
postern anomalies accept --policy policy.yaml --kind new_caller --key new_caller-tbd2ok-3`,
  nowhereText: "the policy that runs has no 'anomalies'",
  listText,
  actText: (answer) => {
    const count = Number(memberOf(answer, "accepted"));
    return `${count} ${count === 1 ? "anomaly is" : "anomalies are"} accepted\n`;
  },
});

function listText(answer: unknown): string {
  const anomalies = listOf(answer, "anomalies");
  const learning =
    memberOf(answer, "learning") === true
      ? `what is usual is being learnt until ${memberText(answer, "learntFrom")}\n`
      : "";
  if (anomalies.length === 0) return `${learning}nothing is unusual\n`;
  const more = Number(memberOf(answer, "more"));
  return `${learning}${anomalies.map(anomalyText).join("\n")}${more > 0 ? `\nand ${more} more\n` : ""}`;
}

function anomalyText(anomaly: unknown): string {
  const text = (name: string): string => memberText(anomaly, name);
  const state = text("state") === "ended" ? `ended ${text("last")}` : `since ${text("since")}`;
  const subject = ["client", "caller", "operation", "policy", "reason"].flatMap((name) =>
    memberOf(anomaly, name) === null ? [] : [`${name} ${shellWord(text(name))}`],
  );
  const members = Number(memberOf(anomaly, "members"));
  if (members > 0) subject.push(`${members} of them`);
  const lines = [
    subject.length === 0 ? "of the service as a whole" : subject.join("  "),
    `seen      ${text("seen")}`,
    `expected  ${text("expected")}`,
    `examples  ${listOf(anomaly, "examples").map(String).map(shellWord).join(" ")}`,
    `to do     ${text("advice")}`,
  ];
  return `${text("kind")}  ${state}  ${text("id")}\n${lines.map((line) => `  ${line}\n`).join("")}`;
}
