import { ADMIN_OPTIONS, adminTarget, askAdmin } from "./admin-client.ts";
import { memberOf, memberText } from "./admin-list.ts";
import { type Command, type CommandIo, EXIT, JSON_OPTION, misuse, parseOptions } from "./command.ts";

const OPTIONS = { ...ADMIN_OPTIONS, ...JSON_OPTION } as const;

export const reloadCommand: Command = {
  name: "reload",
  summary: "Has a running postern read its policy again, and tells what came of it.",
  usage: "(--policy FILE | --address HOST:PORT) [--token-file FILE] [--json]",
  options: OPTIONS,
  example: `postern reload --address 127.0.0.1:9901 --token-file secrets/admin
Exit code 0: the policy on disk runs. 1: it is refused, or nobody answers. 2: used wrongly.`,
  async run(args, io) {
    const parsed = parseOptions(args, OPTIONS);
    if (!parsed.ok) return misuse(reloadCommand, parsed.error, io);
    const { values, positionals } = parsed.value;
    if (positionals.length > 0) return misuse(reloadCommand, "expected no argument beside the options", io);
    const target = await adminTarget(values, io);
    if (!target.ok) {
      return target.error.isMisuse ? misuse(reloadCommand, target.error.text, io) : fail(target.error.text, io);
    }
    const answer = await askAdmin(target.value, "POST", "/policy/reload", {});
    if (!answer.ok) return fail(answer.error.text, io);
    if (values.json === true) io.stdout(`${JSON.stringify(answer.value, null, 2)}\n`);
    else io.stdout(wordsOf(answer.value));
    return EXIT.fine;
  },
};

function wordsOf(answer: unknown): string {
  const hash = memberText(answer, "policyHash");
  switch (memberOf(answer, "reload")) {
    case "ok":
      return `policy ${hash} is loaded\n`;
    case "unchanged":
      return `policy ${hash} is the one that runs\n`;
    default:
      return `the policy is still being read; ${hash} runs meanwhile\n`;
  }
}

function fail(text: string, io: CommandIo): number {
  io.stderr(`postern reload: ${text}\n`);
  return EXIT.problems;
}
