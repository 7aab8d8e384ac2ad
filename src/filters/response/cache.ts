import { HeaderBlock } from "../../message/headers.ts";
import type { HeadEdit } from "../filter.ts";

/** Who may keep an answer: nobody, its caller alone, or what the service says. */
export type CacheSettings = "no-store" | "private" | "shared";

/** What shared caches obey beside or before Cache-Control (RFC 9213, Edge Architecture 1.0, nginx). */
export const SHARED_CACHE_HEADERS = [
  "akamai-cache-control",
  "cdn-cache-control",
  "cloudflare-cdn-cache-control",
  "edge-control",
  "fastly-cdn-cache-control",
  "netlify-cdn-cache-control",
  "surrogate-control",
  "vercel-cdn-cache-control",
  "x-accel-expires",
] as const;

const NAME = "cache-control";
const NO_STORE = /(?:^|,)[ \t]*no-store[ \t]*(?:,|$)/i;
const DIRECTIVE = /[ \t]*(?:([!#$%&'*+\-.^_`|~\w]+)(=(?:[!#$%&'*+\-.^_`|~\w]+|"(?:[^"\\]|\\.)*"))?)?[ \t]*(?:,|$)/y;

interface Settings {
  /** What tells callers apart, lower case; a cache of one browser may have several callers. */
  readonly vary: readonly string[];
  /** Only of answers that set a cookie. */
  readonly cookiesAlone: boolean;
  /** It is said where the service says nothing; else a default does. */
  readonly isSaid: boolean;
}

/**
 * Makes what the service lets shared caches keep its caller's own (RFC 9111 section 5.2.2.7). Without `private` such a cache
 * gives the answer to one caller to the next: only `Authorization` keeps it from that, and no other credential does.
 */
export class PrivateAnswers implements HeadEdit {
  readonly word = "cache";
  readonly settings: Settings;
  #last = "";
  #made = "private";

  constructor(settings: Settings) {
    this.settings = settings;
  }

  edit(headers: HeaderBlock): HeaderBlock {
    const { cookiesAlone, isSaid, vary } = this.settings;
    if (cookiesAlone && !headers.names.includes("set-cookie")) return headers;
    const said = headers.list(NAME);
    if (said === undefined) return isSaid ? withLines(headers, [[NAME, "private"]]) : headers;
    if (said !== this.#last) {
      this.#made = madePrivate(said);
      this.#last = said;
    }
    const lines: [string, string][] = this.#made === said ? [] : [[NAME, this.#made]];
    const varied = NO_STORE.test(this.#made) ? "" : unvaried(headers, vary).join(", ");
    if (varied !== "") lines.push(["vary", varied]);
    if (lines.length === 0) return headers;
    return withLines(this.#made === said ? headers : headers.without(CACHE_CONTROL), lines);
  }
}

const CACHE_CONTROL: ReadonlySet<string> = new Set([NAME]);

function withLines(headers: HeaderBlock, lines: readonly (readonly [string, string])[]): HeaderBlock {
  const names = lines.map(([name]) => name);
  const values = lines.map(([, value]) => value);
  return new HeaderBlock([...headers.names, ...names], [...headers.values, ...values]);
}

/** Names that Vary does not have yet. */
function unvaried(headers: HeaderBlock, names: readonly string[]): readonly string[] {
  if (names.length === 0) return names;
  const present = (headers.list("vary") ?? "").split(",").map((name) => name.trim().toLowerCase());
  return present.includes("*") ? [] : names.filter((name) => !present.includes(name));
}

/** `private` with a list of fields speaks of these alone, so that only the bare one counts. What cannot be read is not kept. */
function madePrivate(said: string): string {
  const kept: string[] = [];
  let [isStored, isChanged, isPrivate] = [true, false, false];
  for (DIRECTIVE.lastIndex = 0; DIRECTIVE.lastIndex < said.length; ) {
    const match = DIRECTIVE.exec(said);
    if (match === null) return "no-store";
    const [, name = "", value = ""] = match;
    const word = name.toLowerCase();
    if (word === "") continue;
    if (word === "public" || word === "s-maxage" || (word === "private" && value !== "")) isChanged = true;
    else kept.push(name + value);
    isPrivate ||= word === "private" && value === "";
    isStored &&= word !== "no-store" || value !== "";
  }
  if (!isChanged && (isPrivate || !isStored)) return said;
  return isPrivate || !isStored ? kept.join(", ") : ["private", ...kept].join(", ");
}
