import { dirname, isAbsolute, join } from "node:path";
import { buildCidrTable, type CidrTable } from "../../matching/cidr-table.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { defineFilter, type RouteContext } from "../filter.ts";
import { AddressCheck } from "./evaluate.ts";
import { type AddressSettings, addressSchema } from "./schema.ts";

/** `address`: who may send requests at all, before anything is spent on them. */
export const addressFilter = defineFilter<AddressSettings>({
  name: "address",
  defaults: "add",
  schema: addressSchema,
  compile(settings, context) {
    const before = [settings.allow, settings.allowFile, settings.deny, settings.denyFile];
    if (before.every((list) => list === undefined)) {
      context.problem("no list of addresses; expected 'allow', 'allowFile', 'deny' or 'denyFile'");
      return;
    }
    const allow = compileList(context, settings, "allow");
    const deny = compileList(context, settings, "deny");
    // A list that could not be read must not become one that is not there.
    if (allow === undefined || deny === undefined) return;
    context.addCheck(new AddressCheck({ allow, deny }, context.place(), settings.mode ?? 100));
  },
});

/** One prefix of a list and where it stands. */
interface Entry {
  readonly text: string;
  report(text: string): void;
}

/** The list under `key` together with its file; null where there is neither, undefined where a problem was reported. */
function compileList(
  context: RouteContext,
  settings: AddressSettings,
  key: "allow" | "deny",
): CidrTable | null | undefined {
  const inline = settings[key];
  const file = settings[`${key}File`];
  if (inline === undefined && file === undefined) return null;
  const entries: Entry[] = (inline ?? []).map((text, at) => ({
    text,
    report: (problem) => context.problem(problem, key, at),
  }));
  if (file !== undefined) {
    const content = context.readFile(file, `${key}File`);
    if (content === null) return undefined;
    for (const entry of fileEntries(context, file, content)) entries.push(entry);
  }
  const table = buildCidrTable(entries.map((entry) => entry.text));
  if (table.ok) return table.value;
  for (const { index, text } of table.error.slice(0, DEFAULTS.fileProblemsMax)) entries[index]?.report(text);
  return undefined;
}

/** One prefix a line; `#` begins a comment, blank lines do not count. */
function fileEntries(context: RouteContext, file: string, content: Buffer): Entry[] {
  const { file: policy, path } = context.place();
  const shown = isAbsolute(file) ? file : join(dirname(policy), file);
  return content
    .toString("latin1")
    .split(/\r?\n/)
    .flatMap((whole, at) => {
      const text = (whole.split("#", 1)[0] ?? "").trim();
      if (text === "") return [];
      const place = { file: shown, line: at + 1, column: whole.indexOf(text) + 1, path };
      // The line is not quoted: a wrong file name could be that of a secret.
      return [{ text, report: () => context.problemAt(place, EXPECTED) }];
    });
}

const EXPECTED = "expected an address or a prefix, as in 192.0.2.0/24 or 2001:db8::/32";
