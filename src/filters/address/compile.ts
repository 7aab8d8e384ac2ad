import { dirname, isAbsolute, join } from "node:path";
import type { Place } from "../../decision/verdict.ts";
import { type CidrTable, cidrTable } from "../../matching/cidr-table.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import type { Steps } from "../../support/turns.ts";
import { defineFilter, type RouteContext } from "../filter.ts";
import { AddressCheck } from "./evaluate.ts";
import { type AddressSettings, addressSchema } from "./schema.ts";

/** `address`: who may send requests at all, before anything is spent on them. */
export const addressFilter = defineFilter<AddressSettings>({
  name: "address",
  defaults: "add",
  schema: addressSchema,
  *compile(settings, context) {
    const before = [settings.allow, settings.allowFile, settings.deny, settings.denyFile];
    if (before.every((list) => list === undefined)) {
      context.problem("no list of addresses; expected 'allow', 'allowFile', 'deny' or 'denyFile'");
      return;
    }
    const allow = yield* compileList(context, settings, "allow");
    const deny = yield* compileList(context, settings, "deny");
    // A list that could not be read must not become one that is not there.
    if (allow === undefined || deny === undefined) return;
    context.addCheck(new AddressCheck({ allow, deny }, context.place(), settings.mode ?? 100));
  },
});

/** The list under `key` together with its file; null where there is neither, undefined where a problem was reported. */
function* compileList(
  context: RouteContext,
  settings: AddressSettings,
  key: "allow" | "deny",
): Steps<CidrTable | null | undefined> {
  const inline = settings[key] ?? [];
  const file = settings[`${key}File`];
  if (settings[key] === undefined && file === undefined) return null;
  const content = file === undefined ? Buffer.alloc(0) : context.readFile(file, `${key}File`);
  if (content === null) return undefined;
  const inputs = [inline.join("\n"), content];
  const table = yield* context.keep("address", inputs, () => readList(context, inline, content, key, file));
  return table ?? undefined;
}

/** The addresses of the policy and of the file; null with problems reported. */
function* readList(
  context: RouteContext,
  inline: readonly string[],
  content: Buffer,
  key: "allow" | "deny",
  file: string | undefined,
): Steps<CidrTable | null> {
  const lines = new FileLines(content.toString("latin1"));
  const table = yield* cidrTable([...inline, ...(yield* lines.texts())]);
  if (table.ok) return table.value;
  for (const fault of table.error.slice(0, DEFAULTS.fileProblemsMax)) {
    if (fault.index < inline.length) context.problem(fault.text, key, fault.index);
    else if (file !== undefined) {
      // The line is not quoted: a wrong file name could be that of a secret.
      context.problemAt(placeOf(context, file, lines.position(fault.index - inline.length)), EXPECTED);
    }
  }
  return null;
}

function placeOf(context: RouteContext, file: string, position: Position): Place {
  const { file: policy, path } = context.place();
  return { file: isAbsolute(file) ? file : join(dirname(policy), file), ...position, path };
}

/** Both from 1. */
interface Position {
  readonly line: number;
  readonly column: number;
}

/** Lines read between two yields. */
const STEP_LINES = 512;

/** One prefix a line; `#` begins a comment, blank lines do not count. */
class FileLines {
  readonly #content: string;
  readonly #lines: number[] = [];
  readonly #columns: number[] = [];

  constructor(content: string) {
    this.#content = content;
  }

  *texts(): Steps<readonly string[]> {
    const content = this.#content;
    const texts: string[] = [];
    for (let from = 0, line = 1; from <= content.length; line++) {
      const newline = content.indexOf("\n", from);
      const end = newline < 0 ? content.length : newline;
      if (line % STEP_LINES === 0) yield;
      const whole = content.slice(from, end);
      const text = (whole.split("#", 1)[0] ?? "").trim();
      from = end + 1;
      if (text === "") continue;
      this.#lines.push(line);
      this.#columns.push(whole.indexOf(text) + 1);
      texts.push(text);
    }
    return texts;
  }

  /** Of a text that was given, by its number from 0. */
  position(index: number): Position {
    return { line: this.#lines[index] ?? 1, column: this.#columns[index] ?? 1 };
  }
}

const EXPECTED = "expected an address or a prefix, as in 192.0.2.0/24 or 2001:db8::/32";
