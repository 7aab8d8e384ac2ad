import { dirname, isAbsolute, join } from "node:path";
import * as z from "zod";
import type { Feed, FeedFormat } from "../addresses/feed.ts";
import { readFeed } from "../addresses/read-feed.ts";
import type { Place } from "../decision/verdict.ts";
import type { RangeTable } from "../matching/range-table.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { object } from "../support/schema.ts";
import type { Steps } from "../support/turns.ts";
import type { CompileContext } from "./compile-context.ts";

/** A list of addresses under the name that denials, log and metrics have for it. */
export interface AddressList {
  readonly name: string;
  readonly table: RangeTable;
}

const fileName = z.string().min(1, { error: "expected the name of a file" });

const listFile = object({
  file: fileName.describe("File of addresses, relative to the policy, watched."),
  format: z
    .enum(["lines", "csv", "json-lines", "json"])
    .optional()
    .describe(
      "How it is written. By what is in it if absent; rows with commas are csv only with this word or 'column'.",
    ),
  column: z
    .union([z.string().min(1), z.int().min(1).max(1000)], { error: "expected a column's name, or its number from 1" })
    .optional()
    .describe("Of csv: the column's name in its first row, or its number from 1. The first if absent."),
  member: z
    .string()
    .min(1)
    .optional()
    .describe("Of JSON: under which name addresses stand. Those of publishers if absent."),
  where: z
    .record(z.string(), z.array(z.string()).min(1))
    .optional()
    .describe("Of JSON: only objects that say one of these, as in { service: [EC2], region: [eu-central-1] }."),
  empty: z
    .literal("allowed", { error: "expected allowed" })
    .optional()
    .describe("A file without any address is as good as another. A problem if absent: it may have been cut off."),
});

export type ListFile = z.output<typeof listFile>;

/** The name of a file, more of one, or several. */
export const listFiles: z.ZodType<readonly ListFile[]> = z.union([
  fileName.transform((file): readonly ListFile[] => [{ file }]),
  listFile.transform((one): readonly ListFile[] => [one]),
  z
    .array(z.union([fileName.transform((file): ListFile => ({ file })), listFile]))
    .min(1, { error: "expected at least one file" })
    .max(DEFAULTS.addressFilesMax, { error: `expected at most ${DEFAULTS.addressFilesMax} files` }),
]);

export interface ListOptions {
  /** Where the files are named. */
  readonly path: readonly (string | number)[];
  /** Bits behind a prefix's length are cut off with a warning; else such a line is left out. */
  readonly cutsHostBits: boolean;
}

/** A table for each file; null with problems reported, for a list that could not be read must not become one that is not there. */
export function* compileListFiles(
  context: CompileContext,
  files: readonly ListFile[],
  options: ListOptions,
): Steps<readonly AddressList[] | null> {
  const lists: AddressList[] = [];
  for (const one of files) {
    const feed = yield* readList(context, one, options);
    if (feed === null) continue;
    lists.push({ name: one.file, table: feed.table });
    warn(context, one.file, feed, options.path);
  }
  return lists.length === files.length ? lists : null;
}

function* readList(context: CompileContext, list: ListFile, { path, cutsHostBits }: ListOptions): Steps<Feed | null> {
  const { file, format, column, member, where, empty } = list;
  const content = context.readLargeFile(file, ...path);
  if (content === null) return null;
  const written: FeedFormat = { format, column, member, where, cutsHostBits };
  const feed = yield* context.keep("addresses", [JSON.stringify(written), content], function* () {
    const read = yield* readFeed(content, written);
    if (read.ok) return read.value;
    context.problem(`'${file}' ${read.error}`, ...path);
    return null;
  });
  if (feed === null || feed.table.size > 0 || empty === "allowed") return feed;
  context.problem(`'${file}' has no address in it; expected some, or 'empty: allowed' beside its name`, ...path);
  return null;
}

function warn(context: CompileContext, file: string, feed: Feed, path: ListOptions["path"]): void {
  const { table, faults, faultCount, cutCount, cutLine } = feed;
  for (const { line, text } of faults) {
    if (line === null) context.warning("entry_left_out", `'${file}': an entry is left out: ${text}`, ...path);
    else context.warningAt("entry_left_out", placeOf(context, file, line), `left out: ${text}`);
  }
  if (faultCount > faults.length) {
    context.warning(
      "entry_left_out",
      `'${file}': ${faultCount} entries are left out; the first ${faults.length} are named`,
      ...path,
    );
  }
  if (cutCount > 0) {
    const first = cutLine === null ? "" : `, first at line ${cutLine}`;
    context.warning(
      "entry_left_out",
      `'${file}': bits behind the length of ${cutCount} prefixes are cut off${first}`,
      ...path,
    );
  }
  for (const family of [4, 6] as const) {
    const share = table.share(family);
    if (share < DEFAULTS.addressShareWarned) continue;
    const percent = `${Math.round(share * 100)} %`;
    context.warning(
      "list_too_broad",
      `'${file}' holds ${percent} of all IPv${family} addresses; expected a list of some`,
      ...path,
    );
  }
}

function placeOf(context: CompileContext, file: string, line: number): Place {
  const { file: policy, path } = context.place();
  return { file: isAbsolute(file) ? file : join(dirname(policy), file), line, column: 1, path };
}
