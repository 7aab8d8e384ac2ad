import { ADMIN_OPTIONS, adminTarget, askAdmin } from "./admin-client.ts";
import { listOf, memberOf, memberText } from "./admin-list.ts";
import { type Command, EXIT, JSON_OPTION, misuse, parseOptions } from "./command.ts";

const OPTIONS = { ...ADMIN_OPTIONS, ...JSON_OPTION } as const;

export const candidateCommand: Command = {
  name: "candidate",
  summary: "Tells what the policy that is tried says of real requests, and puts it in force.",
  usage: `(--policy FILE | --address HOST:PORT) [--json]
promote (--policy FILE | --address HOST:PORT) [--json]`,
  words: ["promote"],
  options: OPTIONS,
  example: `postern candidate --policy policy.yaml
postern candidate promote --policy policy.yaml
Exit code 0: it says the same, or is put in force. 1: it says something else, has problems, or nobody answers. 2: used wrongly.`,
  async run(args, io) {
    const parsed = parseOptions(args, OPTIONS);
    if (!parsed.ok) return misuse(candidateCommand, parsed.error, io);
    const { values, positionals } = parsed.value;
    const [word, ...rest] = positionals;
    if ((word !== undefined && word !== "promote") || rest.length > 0)
      return misuse(candidateCommand, "expected nothing, or 'promote'", io);
    const target = await adminTarget(values, io);
    if (!target.ok && target.error.isMisuse) return misuse(candidateCommand, target.error.text, io);
    const asked = (to: Parameters<typeof askAdmin>[0]) =>
      word === "promote" ? askAdmin(to, "POST", "/candidate/promote", {}) : askAdmin(to, "GET", "/candidate");
    const answer = target.ok ? await asked(target.value) : target;
    if (!answer.ok) {
      const isNowhere = answer.error.text.startsWith("there are /");
      const text = isNowhere ? "the policy that runs has no candidate" : answer.error.text;
      io.stderr(`postern candidate: ${text}\n`);
      return EXIT.problems;
    }
    const told = answer.value;
    if (values.json === true) io.stdout(`${JSON.stringify(told, null, 2)}\n`);
    else io.stdout(word === "promote" ? promotedText(told) : candidateText(told));
    if (word === "promote") return EXIT.fine;
    const isFine =
      listOf(told, "problems").length === 0 &&
      listOf(told, "differences").length === 0 &&
      listOf(told, "refusals").every((one) => memberOf(one, "isAlike") === true);
    return isFine ? EXIT.fine : EXIT.problems;
  },
};

function promotedText(answer: unknown): string {
  return `in force: ${memberText(answer, "promoted")}\nthe one before: ${memberText(answer, "previous")}\n`;
}

function candidateText(answer: unknown): string {
  const head = `${memberText(answer, "file")} beside the policy that runs\n`;
  const problems = listOf(answer, "problems").map((one) => `  ${String(one)}\n`);
  if (memberOf(answer, "hash") === null) return `${head}it judges nothing:\n${problems.join("")}`;
  const requests = memberOf(answer, "requests");
  const count = (name: string): number => Number(memberOf(requests, name));
  const left = count("budget") + count("crowded");
  const lines = [
    `${count("same")} requests alike, ${count("different")} not alike, ${count("counted")} refused by counts, ` +
      `${count("unknown")} not known, ${left} left out`,
    ...apart(answer),
  ];
  const told = [
    ...listOf(answer, "differences").map(differenceText),
    ...listOf(answer, "refusals").map(refusalsText),
    ...untriedText(answer),
  ];
  return `${head}${lines.join("\n")}\n${problems.join("")}${told.map((text) => `\n${text}`).join("")}`;
}

function apart(answer: unknown): readonly string[] {
  const names = listOf(answer, "notTried").map(String);
  return names.length === 0 ? [] : [`not tried, though other than in force: ${names.join(", ")}`];
}

function placedText(of: unknown, text: string, place: string): string {
  return memberOf(of, place) === null ? text : `${text} (${memberText(of, place)})`;
}

function callersText(of: unknown): string {
  const callers = listOf(of, "callers").map((one) => `${memberText(one, "key")} (${memberText(one, "count")})`);
  const others = Number(memberOf(of, "otherCallers"));
  return (others > 0 ? [...callers, `all others (${others})`] : callers).join(", ");
}

/** How many each refuses by what it counts. */
function refusalsText(refusals: unknown): string {
  const says = (name: string, place: string): string =>
    placedText(refusals, `${memberText(refusals, name)} requests`, place);
  const callers = callersText(refusals);
  const lines = [
    `${memberText(refusals, "route")}: ${memberText(refusals, "reason")}${memberOf(refusals, "isAlike") === true ? ", about as many" : ""}`,
    `  in force  ${says("live", "livePlace")}`,
    `  candidate ${says("candidate", "candidatePlace")}`,
    ...(callers === "" ? [] : [`  callers   ${callers}`]),
  ];
  return `${lines.join("\n")}\n`;
}

/** What of the routes that were asked is not tried. */
function untriedText(answer: unknown): readonly string[] {
  const routes = listOf(answer, "untried").map((one) => {
    const checks = listOf(one, "checks").map((check) => placedText(check, memberText(check, "check"), "place"));
    return `  ${memberText(one, "route")}: ${checks.join(", ")}\n`;
  });
  return routes.length === 0 ? [] : [`not tried:\n${routes.join("")}`];
}

/** What is said of the route, by which line, and who it is about. */
function differenceText(difference: unknown): string {
  const says = (name: string, place: string): string => placedText(difference, memberText(difference, name), place);
  const [example] = listOf(difference, "examples");
  const lines = [
    `${memberText(difference, "route")}: ${memberText(difference, "count")} requests`,
    `  in force  ${says("live", "livePlace")}`,
    `  candidate ${says("candidate", "candidatePlace")}`,
    `  callers   ${callersText(difference)}`,
    ...(example === undefined ? [] : [`  such as   ${memberText(example, "method")} ${memberText(example, "id")}`]),
  ];
  return `${lines.join("\n")}\n`;
}
