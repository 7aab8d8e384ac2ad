// biome-ignore-all lint/suspicious/noTemplateCurlyInString: texts of policies have references that look like it
import type { Place } from "../decision/verdict.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";
import { withoutLineEnd } from "../support/secret.ts";
import { decodeText } from "../support/text.ts";
import type { Concealed } from "./concealed.ts";
import { DOES_NOT_EXIST } from "./named-files.ts";
import type { ProblemList } from "./problems.ts";

/** `${env:NAME}`, `${env:NAME:-default}`, `${file:NAME}`; with another `$` before it, it is what it looks like. */
const REFERENCE = /\$?\$\{([a-z]+):([^{}]*)(\}?)/g;

/** Texts that may be meant as numbers, or as true or false: what YAML 1.2 makes of them without quotes. */
const NUMBER = /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/;
const CONVERTIBLE_CHARS_MAX = 32;

export interface ReferenceSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What stands elsewhere may not be at hand: it is listed, and is no problem. */
  readonly isOffline: boolean;
  readonly readFile: (name: string, place: Place) => Result<Buffer, string>;
  /** Hears of what the policy was made from, under a name. */
  readonly include: (name: string, content: string) => void;
  readonly problems: ProblemList;
  readonly absent: ProblemList;
  /** Learns the values that must not be shown. */
  readonly concealed: Concealed;
}

/**
 * What a policy's texts say by reference. A value is text whatever is in it, never YAML, and nothing in it is a reference
 * again. No problem shows a value that came from elsewhere.
 */
export class References {
  readonly #sources: ReferenceSources;
  readonly #known = new Map<string, string | null>();
  readonly #convertible = new Set<string>();
  /** Texts with something from elsewhere in them, and what of them is the policy's own. */
  readonly #own = new Map<string, string>();
  #chars = 0;

  constructor(sources: ReferenceSources) {
    this.#sources = sources;
  }

  /** Whole texts from elsewhere that a schema may want as a number, or as true or false. */
  get convertible(): ReadonlySet<string> {
    return this.#convertible;
  }

  /** A text as the policy itself has it: an `x` stands for each character that came from elsewhere, and means nothing. */
  ownText(text: string): string {
    return this.#own.get(text) ?? text;
  }

  /** A text of the policy with what it refers to in place of its references. */
  resolve(text: string, placeOf: () => Place): string {
    if (!text.includes("${")) return text;
    const place = placeOf();
    let isWhole = false;
    let own = "";
    let from = 0;
    const resolved = text.replace(REFERENCE, (all, kind: string, name: string, end: string, at: number) => {
      own += text.slice(from, at);
      from = at + all.length;
      isWhole = all.length === text.length;
      const value = all.startsWith("$$") ? all.slice(1) : this.#lookUp(kind, end === "" ? null : name, place);
      own += all.startsWith("$$") ? value : "x".repeat(value.length);
      return value;
    });
    this.#own.set(resolved, own + text.slice(from));
    if (isWhole && resolved.length <= CONVERTIBLE_CHARS_MAX && converted(resolved) !== resolved)
      this.#convertible.add(resolved);
    return resolved;
  }

  #lookUp(kind: string, name: string | null, place: Place): string {
    const { problems, absent, isOffline } = this.#sources;
    const found = name === null ? err("a reference without its end; expected '}'") : this.#valueOf(kind, name, place);
    if (found.ok) {
      this.#chars += found.value.length;
      if (this.#chars <= DEFAULTS.policyBytesMax) return found.value;
    }
    const text = found.ok ? `references give more than ${DEFAULTS.policyBytesMax} characters` : found.error;
    if (isOffline && /is not set;|does not exist;/.test(text)) absent.add(place, text.replace(/;.*/, ""));
    else problems.add(place, text);
    // Whatever else is said of this value says the same.
    problems.hush(place);
    return "";
  }

  #valueOf(kind: string, name: string, place: Place): Result<string, string> {
    if (kind === "env") return this.#variable(name);
    if (kind === "file") return this.#file(name, place);
    return err(`no reference is called '${kind}'; expected \${env:NAME} or \${file:NAME}, or $\${ for the text itself`);
  }

  #variable(text: string): Result<string, string> {
    const [, name = "", fallback] = /^([^:]*)(?::-(.*))?$/s.exec(text) ?? [];
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      return err("expected the name of a variable, as in ${env:PORT} or ${env:PORT:-8080}");
    }
    const value = this.#sources.env[name];
    // As in a shell, where `:-` takes a variable that is set to nothing for one that is not set.
    if (fallback !== undefined && (value ?? "") === "") return ok(fallback);
    if (value === undefined)
      return err(`variable ${name} is not set; expected its value or a default, as in \${env:${name}:-x}`);
    return this.#plain(`\${env:${name}}`, value);
  }

  #file(name: string, place: Place): Result<string, string> {
    const content = this.#sources.readFile(name, place);
    if (!content.ok) {
      const more = content.error === DOES_NOT_EXIST ? "; expected a file, relative to the policy" : "";
      return err(`'${name}' ${content.error}${more}`);
    }
    const text = decodeText(withoutLineEnd(content.value));
    return text.ok ? this.#plain(`\${file:${name}}`, text.value) : err(`'${name}' is ${text.error}`);
  }

  #plain(reference: string, value: string): Result<string, string> {
    if (value.includes("\0")) return err(`${reference} has a zero byte in it; expected text`);
    if (this.#known.has(reference)) return ok(value);
    if (this.#known.size >= DEFAULTS.referencesMax) return err(`more than ${DEFAULTS.referencesMax} references`);
    this.#known.set(reference, value);
    this.#sources.include(reference, value);
    this.#sources.concealed.add(value, reference);
    return ok(value);
  }
}

/** What YAML makes of the text where it stands without quotes: a number, true or false, or itself. */
export function converted(text: string): string | number | boolean {
  if (/^(?:true|True|TRUE)$/.test(text)) return true;
  if (/^(?:false|False|FALSE)$/.test(text)) return false;
  const number = NUMBER.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(number) && (Number.isSafeInteger(number) || !Number.isInteger(number)) ? number : text;
}
