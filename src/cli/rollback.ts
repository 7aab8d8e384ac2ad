import { ADMIN_OPTIONS, adminTarget, askAdmin } from "./admin-client.ts";
import { memberText } from "./admin-list.ts";
import { type Command, EXIT, JSON_OPTION, misuse, parseOptions } from "./command.ts";

const OPTIONS = { ...ADMIN_OPTIONS, ...JSON_OPTION } as const;

export const rollbackCommand: Command = {
  name: "rollback",
  summary: "Puts the policy that ran before in force again.",
  usage: "(--policy FILE | --address HOST:PORT) [--json]",
  options: OPTIONS,
  example: `postern rollback --policy policy.yaml
The file stays as it is; what it says is refused until it says something else.
Exit code 0: done. 1: not done, or nobody answers. 2: used wrongly.`,
  async run(args, io) {
    const parsed = parseOptions(args, OPTIONS);
    if (!parsed.ok) return misuse(rollbackCommand, parsed.error, io);
    const { values, positionals } = parsed.value;
    if (positionals.length > 0) return misuse(rollbackCommand, `unexpected '${positionals[0]}'`, io);
    const target = await adminTarget(values, io);
    if (!target.ok && target.error.isMisuse) return misuse(rollbackCommand, target.error.text, io);
    const answer = target.ok ? await askAdmin(target.value, "POST", "/policy/rollback", {}) : target;
    if (!answer.ok) {
      io.stderr(`postern rollback: ${answer.error.text}\n`);
      return EXIT.problems;
    }
    if (values.json === true) io.stdout(`${JSON.stringify(answer.value, null, 2)}\n`);
    else {
      const [from, to] = [memberText(answer.value, "from"), memberText(answer.value, "to")];
      io.stdout(`policy ${to} is in force again; ${from}, which stands on disk, is refused until it changes\n`);
    }
    return EXIT.fine;
  },
};
