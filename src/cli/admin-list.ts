import { ADMIN_OPTIONS, type AdminFault, adminTarget, askAdmin } from "./admin-client.ts";
import { type Command, type CommandIo, EXIT, JSON_OPTION, misuse, parseOptions } from "./command.ts";

/** A command that lists what the admin port has of something by key, and has one act on it. */
export interface AdminList {
  /** The command's, as `quota`. */
  readonly name: string;
  readonly summary: string;
  /** As in `/quotas`. */
  readonly path: string;
  /** What an entry of the policy is called here: the option, and the member of what is asked for. */
  readonly entry: string;
  /** All that there are, where no policy names them: shells complete them. */
  readonly entries?: readonly string[];
  /** The act's word, which is the last part of its path, too. */
  readonly act: string;
  /** Lines of the help for `--ENTRY` and `--all`. */
  readonly entryHelp: string;
  readonly allHelp: string;
  readonly example: string;
  /** Where the port has no such page: it comes with the first entry of a policy. */
  readonly nowhereText: string;
  /** What the admin port gave, for people. */
  listText(answer: unknown): string;
  actText(answer: unknown): string;
}

export function adminListCommand(list: AdminList): Command {
  const { name, entry, act, path } = list;
  const options = {
    ...ADMIN_OPTIONS,
    [entry]: { type: "string", value: list.entries?.join("|") ?? "NAME", text: list.entryHelp },
    key: { type: "string", value: "KEY", text: "of this key alone, as 'list' shows it or its id" },
    all: { type: "boolean", text: list.allHelp },
    ...JSON_OPTION,
  } as const;
  const target = "(--policy FILE | --address HOST:PORT)";
  const command: Command = {
    name,
    summary: list.summary,
    usage: `list ${target} [--${entry} NAME] [--key KEY] [--json]
${act} ${target} [--${entry} NAME] [--key KEY] [--all] [--json]`,
    words: ["list", act],
    options,
    example: `${list.example}\nExit code 0: done. 1: not done, or nobody answers. 2: used wrongly.`,
    async run(args, io) {
      const parsed = parseOptions(args, options);
      if (!parsed.ok) return misuse(command, parsed.error, io);
      const { positionals } = parsed.value;
      const values: Readonly<Record<string, unknown>> = parsed.value.values;
      const [word, ...rest] = positionals;
      if ((word !== "list" && word !== act) || rest.length > 0) {
        return misuse(command, `expected 'list' or '${act}'`, io);
      }
      const all = values["all"] === true ? true : undefined;
      const [of, key] = [textOf(values[entry]), textOf(values["key"])];
      if (word === "list" && all === true) return misuse(command, `--all goes with '${act}'`, io);
      if (word === act && all !== true && (of === undefined || key === undefined)) {
        return misuse(command, `expected --${entry} NAME and --key KEY, or --all in place of what is not named`, io);
      }
      const target = await adminTarget(
        {
          policy: textOf(values["policy"]),
          address: textOf(values["address"]),
          "token-file": textOf(values["token-file"]),
        },
        io,
      );
      if (!target.ok) {
        return target.error.isMisuse ? misuse(command, target.error.text, io) : fail(name, target.error.text, io);
      }
      const answer =
        word === "list"
          ? await askAdmin(target.value, "GET", `${path}${queryOf({ [entry]: of, key })}`)
          : await askAdmin(target.value, "POST", `${path}/${act}`, { [entry]: of, key, all });
      if (!answer.ok) return fail(name, isNowhere(answer.error) ? list.nowhereText : answer.error.text, io);
      if (values["json"] === true) io.stdout(`${JSON.stringify(answer.value, null, 2)}\n`);
      else io.stdout(word === "list" ? list.listText(answer.value) : list.actText(answer.value));
      return EXIT.fine;
    },
  };
  return command;
}

/** A member of an answer; undefined where there is none. */
export function memberOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

export function listOf(value: unknown, name: string): readonly unknown[] {
  const list = memberOf(value, name);
  return Array.isArray(list) ? list : [];
}

/** Labels hold what clients chose: nothing of it may steer a terminal. */
export function memberText(value: unknown, name: string): string {
  return shownText(String(memberOf(value, name)));
}

export function shownText(text: string): string {
  return text.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, "\ufffd");
}

function isNowhere({ status, text }: AdminFault): boolean {
  return status === 404 && text.startsWith("there are /");
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function fail(name: string, text: string, io: CommandIo): number {
  io.stderr(`postern ${name}: ${text}\n`);
  return EXIT.problems;
}

function queryOf(values: Readonly<Record<string, string | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== undefined) query.set(name, value);
  return query.size === 0 ? "" : `?${query}`;
}
