import { dirname, isAbsolute, join, normalize } from "node:path";
import { orderedRuleFiles, RULES_TURN, ruleFileTurn } from "../../detection/rules/file-order.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { decodeText } from "../../support/text.ts";
import type { CompileContext } from "../filter.ts";

export interface RuleText {
  /** As the policy names it, or the folder that it is in. */
  readonly file: string;
  readonly text: string;
}

/** What a detector is made of. */
export interface RuleFiles {
  /** In the order in which they are read. */
  readonly rules: readonly RuleText[];
  /** Lists of words and the like, by name. */
  readonly data: ReadonlyMap<string, string>;
}

/** Files and folders of `rules` → their texts; null, with a problem, where one cannot be read. */
export function readRuleFiles(names: readonly string[], context: CompileContext): RuleFiles | null {
  const ordered: OrderedFile[] = [];
  let isWhole = true;
  let hasFolder = false;
  let bytes = 0;
  const read = (name: string, at: number): string | null => {
    const content = context.readFile(name, "rules", at);
    bytes += content?.length ?? 0;
    const text = content === null ? null : decodeText(content);
    if (text?.ok === false) context.problem(`'${name}' is ${text.error}`, "rules", at);
    if (text?.ok !== true) isWhole = false;
    return text?.ok === true ? text.value : null;
  };
  for (const [at, name] of names.entries()) {
    const isFile = name.endsWith(".conf") || name.endsWith(".example");
    const isOther = OTHER_FILE.test(name);
    if (isOther)
      context.problem(
        `'${name}' is no file of rules; expected files that end in .conf or .example, or folders with such files`,
        "rules",
        at,
      );
    const files = isOther ? null : isFile ? [name] : context.readFolder(name, "rules", at);
    if (files === null) {
      isWhole = false;
      continue;
    }
    if (files.length > DEFAULTS.detectFilesMax) {
      context.problem(`${files.length} files; expected at most ${DEFAULTS.detectFilesMax}`, "rules", at);
      return null;
    }
    const found = ordered.length;
    // What is named by itself stays where it is named: behind the rules where a folder stands before it.
    const turnOf = (file: string): number => (isFile ? (hasFolder ? RULES_TURN : -1) : ruleFileTurn(file));
    for (const file of isFile ? files : orderedRuleFiles(files))
      ordered.push({ file, text: read(file, at) ?? "", turn: turnOf(file) });
    hasFolder ||= !isFile;
    if (ordered.length === found)
      context.problem(`'${name}' has no files of rules (*.conf); expected the folder that they are in`, "rules", at);
    if (bytes > DEFAULTS.detectFilesBytesMax) {
      context.problem(`more than ${DEFAULTS.detectFilesBytesMax / 1024 ** 2} MiB of rules`, "rules", at);
      return null;
    }
  }
  ordered.sort((a, b) => a.turn - b.turn);
  if (!isWhole) return null;
  const rules = ordered.map(({ file, text }) => ({ file, text }));
  const data = readDataFiles(
    rules,
    (file) => context.readFolder(dirname(file), "rules"),
    (file) => read(file, 0),
  );
  return isWhole ? { rules, data } : null;
}

/** Lists are read from beside the rules that name them, and what a server is to include stands in the policy. */
const OTHER_FILE = /\.(?:data|load|lua)$/;
const DATA_FILE = /@(?:pm|ipmatch)f(?:romfile)?[ \t]+([^"'\r\n]+)/gi;

/** Lists of words and addresses that rules name. One that is not there is told with the rule's line. */
function readDataFiles(
  rules: readonly RuleText[],
  folderOf: (file: string) => readonly string[] | null,
  read: (file: string) => string | null,
): Map<string, string> {
  const data = new Map<string, string>();
  const there = new Map<string, ReadonlySet<string>>();
  for (const { file: from, text } of rules)
    for (const [, name = ""] of text.matchAll(DATA_FILE)) {
      const file = dataPath(name.trim(), from);
      const folder = dirname(file);
      const names = there.get(folder) ?? new Set((folderOf(file) ?? []).map(normalize));
      there.set(folder, names);
      if (names.has(file) && !data.has(file)) data.set(file, read(file) ?? "");
    }
  return data;
}

const dataPath = (name: string, from: string): string => normalize(isAbsolute(name) ? name : join(dirname(from), name));

/** A file with its turn among those of all folders: plugins stand around the rules, wherever their folder is named. */
interface OrderedFile extends RuleText {
  readonly turn: number;
}

/** A data file that a rule names, from where the rule stands. */
export function dataFileOf({ data }: RuleFiles, name: string, from: string): string | undefined {
  return data.get(dataPath(name, from));
}
