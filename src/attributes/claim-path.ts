import { err, ok, type Result } from "../support/result.ts";

const SEGMENTS_MAX = 8;
const SEGMENT = /(?:"((?:[^"\\]|\\["\\])+)"|([^."\\\s]+))(\.(?=.)|$)/y;

/** `realm_access.roles`, `"https://example.org/tenant".id` → segments. A quoted segment may hold dots. */
export function parseClaimPath(text: string): Result<readonly string[], string> {
  const segments: string[] = [];
  let at = 0;
  do {
    SEGMENT.lastIndex = at;
    const match = SEGMENT.exec(text);
    if (match === null || segments.length === SEGMENTS_MAX) {
      return err(
        `'${text}' is no claim path; expected at most ${SEGMENTS_MAX} names with dots between them, quoted where a name has a dot, as in realm_access.roles or "https://example.org/tenant"`,
      );
    }
    segments.push(match[1]?.replace(/\\(["\\])/g, "$1") ?? match[2] ?? "");
    at = SEGMENT.lastIndex;
  } while (at < text.length);
  return ok(segments);
}

/** The path as it was read: `realm_access.roles`, and `"https://example"."org/tenant"` where somebody forgot the quotes. */
export function claimPathText(path: readonly string[]): string {
  return path.map((segment) => (/^[\w-]+$/.test(segment) ? segment : JSON.stringify(segment))).join(".");
}

/** The value at `path`. Own properties of objects only, so `constructor` and `__proto__` are claims like any other. */
export function claimAt(claims: Readonly<Record<string, unknown>>, path: readonly string[]): unknown {
  let value: unknown = claims;
  for (const segment of path) {
    if (!isRecord(value) || !Object.hasOwn(value, segment)) return undefined;
    value = value[segment];
  }
  return value;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
