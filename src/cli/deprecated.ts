import { shellWord } from "../support/shell-word.ts";
import { adminListCommand, listOf, memberOf, memberText } from "./admin-list.ts";
import type { Command } from "./command.ts";

export const deprecatedCommand: Command = adminListCommand({
  name: "deprecated",
  summary: "Lists who still asks for what is deprecated.",
  path: "/deprecated",
  entry: "route",
  act: "forget",
  entryHelp: "of this route alone, as the policy writes its path",
  allHelp: "of 'forget': every caller, or every route, where none is named",
  example: `postern deprecated list --policy policy.yaml --route '/v0/**'
postern deprecated forget --policy policy.yaml --all`,
  nowhereText: "the policy that runs has nothing that is deprecated",
  listText,
  actText: (answer) => {
    const count = Number(memberOf(answer, "forgotten"));
    return `${count} caller${count === 1 ? " is" : "s are"} forgotten\n`;
  },
});

function listText(answer: unknown): string {
  const routes = listOf(answer, "deprecated");
  return routes.length === 0 ? "nothing that is deprecated was asked for yet\n" : routes.map(routeText).join("\n");
}

function routeText(route: unknown): string {
  const used = listOf(route, "used");
  const requests = memberOf(route, "requests");
  const counts = ["served", "excepted", "brownout", "ended"].map(
    (outcome) => `${memberText(requests, outcome)} ${outcome}`,
  );
  const head = `${memberText(route, "route")}: ${counts.join(", ")}`;
  if (used.length === 0) return `${head}; nobody is remembered\n`;
  const rows = used.map((one) => ({
    last: memberText(one, "last"),
    requests: memberText(one, "requests"),
    outcome: memberText(one, "outcome"),
    key: shellWord(memberText(one, "key")),
  }));
  const lines = [{ last: "last", requests: "requests", outcome: "outcome", key: "key" }, ...rows].map(
    (row) => `  ${row.last.padEnd(24)}  ${row.requests.padStart(8)}  ${row.outcome.padEnd(8)}  ${row.key}\n`,
  );
  const more = Number(memberOf(route, "callers")) - used.length;
  return `${head}\n${lines.join("")}${more > 0 ? `  and ${more} more\n` : ""}`;
}
