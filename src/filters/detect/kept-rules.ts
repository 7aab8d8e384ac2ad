import type { RuleSource } from "../../detection/rules/compile-rules.ts";
import { Search } from "../../detection/search/search.ts";
import type { RuleProblem } from "../../detection/seclang/directive.ts";
import type { StateKind } from "../../resources/state-folder.ts";
import type { Steps } from "../../support/turns.ts";

/**
 * Rules as the state folder keeps them. Another version with each change of what files of rules become, or of what a search is
 * made of: `test/filters/kept-rules.test.ts` sees it.
 */
export const KEPT_RULES: StateKind = { name: "rules", version: 2 };

/** Compiled rules, and the hash of all that they were made of. */
export interface KeptRules {
  readonly digest: string;
  readonly source: RuleSource;
  readonly lacking: readonly RuleProblem[];
  readonly search: Search;
}

/** The first line; the others are the entries of its lists. */
interface Head extends Pick<KeptRules, "digest" | "lacking"> {
  readonly constants: RuleSource["constants"];
  readonly lengths: readonly [items: number, patterns: number, chosen: number];
  /** Of all lines behind this one. */
  readonly bytes: number;
}

const LINES_A_STEP = 64;

/** Lines of JSON, and behind them the search. */
export function* encodeRules(kept: Omit<KeptRules, "search">, search: Uint8Array): Steps<Buffer> {
  const { digest, source, lacking } = kept;
  const { items, patterns, chosen } = source;
  const lines: string[] = [];
  for (const entry of [...items, ...patterns, ...chosen]) {
    lines.push(`${JSON.stringify(entry)}\n`);
    if (lines.length % LINES_A_STEP === 0) yield;
  }
  const body = Buffer.from(lines.join(""));
  const head: Head = {
    digest,
    lacking,
    constants: source.constants,
    lengths: [items.length, patterns.length, chosen.length],
    bytes: body.length,
  };
  yield;
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), body, search]);
}

/** Null where it is nothing of the kind. Its content is ours, as the folder's hash and its rights say; only its form is looked at. */
export function* decodeRules(content: Buffer): Steps<KeptRules | null> {
  const headEnd = content.indexOf("\n") + 1;
  try {
    const head = JSON.parse(content.toString("utf8", 0, headEnd)) as Head;
    const bodyEnd = headEnd + head.bytes;
    const lines = content.toString("utf8", headEnd, bodyEnd).split("\n");
    const entries: unknown[] = [];
    for (const line of lines.slice(0, -1)) {
      entries.push(JSON.parse(line));
      if (entries.length % LINES_A_STEP === 0) yield;
    }
    const [itemCount, patternCount] = head.lengths;
    const take = <T>(count: number): T[] => entries.splice(0, count) as T[];
    const source: RuleSource = {
      constants: head.constants,
      items: take(itemCount),
      patterns: take(patternCount),
      chosen: take(entries.length),
    };
    const search = Search.fromBuffer(content.subarray(bodyEnd));
    if (search === null) return null;
    return { digest: head.digest, source, lacking: head.lacking, search };
  } catch {
    return null;
  }
}
