import * as z from "zod";
import { DEFAULTS } from "./defaults.ts";
import {
  BYTE_RATE_PATTERN,
  DURATION_PATTERN,
  parseDurationMs,
  parseRate,
  parseSizeBytes,
  RATE_PATTERN,
  type Rate,
  SIZE_PATTERN,
} from "./units.ts";

/** The words of the policy language that several filters share. Schemas read text and give numbers. */

const DURATION_EXPECTED = "expected a duration: a number and one of ms, s, m, h, d, as in 30s";
const SIZE_EXPECTED = "expected a size: a number and one of B, KB, MB, GB, KiB, MiB, GiB, as in 256KiB";
const BYTE_RATE_EXPECTED = "expected bytes a second, as in 240B/s or 1KiB/s, or off";
const RATE_EXPECTED = "expected a rate: COUNT/second, /minute, /hour or /day, as in 50/second";

/**
 * An object that refuses keys it does not know and names the nearest one it does. `example`: what to write, for whoever
 * writes something shorter in its place, as `true`.
 */
export function object<Shape extends z.core.$ZodLooseShape>(
  shape: Shape,
  example?: string,
): z.ZodObject<Shape, z.core.$strict> {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code === "unrecognized_keys") return unknownKeys(issue.keys ?? [], known);
      return example === undefined || issue.code !== "invalid_type"
        ? undefined
        : `expected a mapping, as in ${example}`;
    },
  });
}

/** The error of a list or a record, for a value of another kind alone. */
export function ofKind(text: string): (issue: { readonly code?: string }) => string | undefined {
  return ({ code }) => (code === "invalid_type" ? text : undefined);
}

/** Where a JSON Schema stands: bodies have theirs in files, that other tools read too. */
export const schemaFile: z.ZodString = z
  .string({ error: ofKind("expected a file with the JSON Schema, as in schemas/order.json") })
  .min(1);

/** The error of a union of objects and lists of them: what is wrong within one of them is told by it. */
export function ofNeither(text: string): (issue: { readonly input?: unknown }) => string | undefined {
  return ({ input }) => (typeof input === "object" && input !== null ? undefined : text);
}

function unknownKeys(keys: readonly string[], known: readonly string[]): string {
  return keys
    .slice(0, DEFAULTS.hintsMax)
    .map((key) => unknownKey(key, known))
    .join("; ");
}

/** The sentence about a key that does not exist. */
export function unknownKey(key: string, known: readonly string[]): string {
  return `unknown key '${key}'; ${nearestHint(key, known)}`;
}

/** What to try instead of a word that does not exist: the nearest one that does, or all there are. */
export function nearestHint(word: string, known: readonly string[]): string {
  const near = nearest(word, known);
  return near === undefined ? choiceOf(known) : `did you mean '${near}'?`;
}

/** All words that there are, or the first of them. */
export function choiceOf(known: readonly string[]): string {
  if (known.length === 0) return "there is none yet";
  const more = known.length - DEFAULTS.hintWordsMax;
  return `expected one of: ${known.slice(0, DEFAULTS.hintWordsMax).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/** The known word that fewest edits turn into `word`, if that is at most a third of its letters (and one). */
export function nearest(word: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    if (Math.abs(candidate.length - word.length) >= bestDistance) continue;
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Levenshtein distance where two letters that changed places are one edit, as slips of fingers are; three rows. */
function editDistance(a: string, b: string): number {
  let before: readonly number[] = [];
  let row: readonly number[] = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitute = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = isSwap ? (before[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY;
      next.push(Math.min(substitute, swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    before = row;
    row = next;
  }
  return row[b.length] ?? 0;
}

/** '30s' → milliseconds. */
export const durationMs: z.ZodType<number, string> = z
  .string({ error: DURATION_EXPECTED })
  .regex(DURATION_PATTERN, { error: DURATION_EXPECTED })
  .transform((text) => {
    const parsed = parseDurationMs(text);
    return parsed.ok ? parsed.value : 0;
  });

/** '256KiB' → bytes. */
export const sizeBytes: z.ZodType<number, string> = z
  .string({ error: SIZE_EXPECTED })
  .regex(SIZE_PATTERN, { error: SIZE_EXPECTED })
  .transform((text) => {
    const parsed = parseSizeBytes(text);
    return parsed.ok ? parsed.value : 0;
  });

/** '240B/s' → bytes per second; 'off' → 0. */
export const byteRate: z.ZodType<number, string> = z
  .string({ error: BYTE_RATE_EXPECTED })
  .regex(new RegExp(`${BYTE_RATE_PATTERN.source}|^off$`), { error: BYTE_RATE_EXPECTED })
  .transform((text) => {
    const parsed = parseSizeBytes(text.replace(/\/s(?:econd)?$/, ""));
    return parsed.ok ? parsed.value : 0;
  });

/** '50/second' → count and window. */
export const rate: z.ZodType<Rate, string> = z
  .string({ error: RATE_EXPECTED })
  .regex(RATE_PATTERN, { error: RATE_EXPECTED })
  .transform((text) => {
    const parsed = parseRate(text);
    return parsed.ok ? parsed.value : { count: 1, windowSeconds: 1 };
  });

/** `off` is told from every share of callers by being below them all. */
const PERCENTS = { off: -1, audit: 0, enforce: 100 } as const;

/** The ladder that every check climbs: 'off' (-1), 'audit' (0), { enforce: '5%' } (5), 'enforce' (100) → percent enforced. */
export const mode: z.ZodType<number, "off" | "audit" | "enforce" | { enforce: string }> = z
  .union([
    z.enum(["off", "audit", "enforce"]),
    object({
      enforce: z
        .string()
        .regex(/^(?:100|[1-9]?\d)%$/, { error: "expected a share, as in 5%" })
        .describe(
          "Share of callers to whom the check denies, always the same; for the others it only logs and counts.",
        ),
    }),
  ])
  .transform((value) => {
    if (typeof value === "object") return Number(value.enforce.slice(0, -1));
    return PERCENTS[value];
  })
  .describe(
    "off: nobody asks it; audit only logs and counts what would be denied; { enforce: 5% } denies to that share of callers; enforce (if absent).",
  );

const headerText = z
  .string()
  .regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/, { error: "expected a header name, as in X-Api-Key" });

/** A header field name (RFC 9110 section 5.1), given in any case → lower case. */
export const headerName: z.ZodType<string, string> = headerText.transform((name) => name.toLowerCase());

/** One that a service sends: no header has a `*` in its name, and one that is written means many. */
export const wholeHeaderName: z.ZodType<string, string> = headerName.refine((name) => !name.includes("*"), {
  error: "* stands for nothing in the name of a header; expected each by its whole name",
});

/** Something for each header, by its name in lower case. Headers have no case: of two spellings nobody can say which one was meant. */
export function byHeader<T>(value: z.ZodType<T>): z.ZodType<Record<string, T>> {
  return z
    .record(headerText, value)
    .superRefine((record, context) => {
      const seen = new Set<string>();
      for (const name of Object.keys(record)) {
        const lower = name.toLowerCase();
        const message = `'${name}' stands here in two spellings; expected one`;
        if (seen.has(lower)) context.addIssue({ code: "custom", path: [name], message });
        seen.add(lower);
      }
    })
    .transform((record) => Object.fromEntries(Object.entries(record).map(([name, one]) => [name.toLowerCase(), one])));
}
