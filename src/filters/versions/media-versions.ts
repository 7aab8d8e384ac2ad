/** What a field has that may name a version in more than one way. */
export const AMBIGUOUS: unique symbol = Symbol("ambiguous");

/** A type with `{version}`: what stands before and behind it, in lower case. */
interface Template {
  readonly before: string;
  readonly behind: string;
}

/** One media range of Accept, or a media type. */
interface Range {
  readonly type: string;
  readonly parameters: readonly (readonly [name: string, value: string])[];
  /** 0 to 1. */
  readonly weight: number;
}

/**
 * Versions in Accept and Content-Type (RFC 9110 sections 8.3 and 12.5.1). A version counts only where no reader could take
 * another: services look with a regular expression, take the first range, or the one they like best.
 */
export class MediaVersions {
  readonly #parameters: ReadonlySet<string>;
  readonly #templates: readonly Template[];
  /** Texts that stand before a version, for whoever looks for them alone. */
  readonly #marks: readonly RegExp[];

  /** `sources`: names of parameters, and types with `{version}`. */
  constructor(sources: readonly string[]) {
    const names = sources.filter((source) => !source.includes("/")).map((name) => name.toLowerCase());
    this.#parameters = new Set(names);
    this.#templates = sources.filter((source) => source.includes("/")).map(templateOf);
    const subtypes = this.#templates.map(({ before }) => before.slice(before.indexOf("/") + 1));
    this.#marks = [
      ...[...this.#parameters].map((name) => new RegExp(`${name}(?:\\*\\d*\\*?)?\\s*=`, "g")),
      ...[...new Set(subtypes)].map((text) => new RegExp(text.replaceAll(/[.+]/g, "\\$&"), "g")),
    ];
  }

  /** The version that a field's whole value names; null for none. */
  read(text: string): string | null | typeof AMBIGUOUS {
    const lower = text.toLowerCase();
    const marks = this.#marks.reduce((sum, mark) => sum + (lower.match(mark)?.length ?? 0), 0);
    if (marks === 0) return null;
    const ranges = rangesOf(text);
    if (ranges === null) return AMBIGUOUS;
    const named = ranges.map((range) => this.#versionsOf(range));
    const versions = named.flat();
    const [version] = versions;
    // A mark that is no version here is one to somebody else.
    if (version === undefined || versions.length !== marks || versions.some((other) => other !== version)) {
      return AMBIGUOUS;
    }
    return isPreferred(ranges, named) ? version : AMBIGUOUS;
  }

  #versionsOf({ type, parameters }: Range): readonly string[] {
    const lower = type.toLowerCase();
    const inType = this.#templates.filter(
      ({ before, behind }) =>
        lower.startsWith(before) && lower.endsWith(behind) && lower.length > before.length + behind.length,
    );
    return [
      ...inType.map(({ before, behind }) => type.slice(before.length, type.length - behind.length)),
      ...parameters.filter(([name]) => this.#parameters.has(name)).map(([, value]) => value),
    ];
  }
}

/** Whether the ranges with a version come first, and none of the others weighs more. */
function isPreferred(ranges: readonly Range[], named: readonly (readonly string[])[]): boolean {
  const count = named.filter((versions) => versions.length > 0).length;
  const first = ranges.slice(0, count);
  const others = ranges.slice(count).map(({ weight }) => weight);
  const least = Math.min(...first.map(({ weight }) => weight));
  return least > 0 && named.slice(0, count).every((versions) => versions.length > 0) && Math.max(0, ...others) <= least;
}

function templateOf(source: string): Template {
  const [before = "", behind = ""] = source.split("{version}", 2);
  return { before, behind };
}

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const TYPE = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+\/[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const WEIGHT = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/;

/** A field's ranges; null where it is not written as the RFC has it, or quotes what readers might part. */
function rangesOf(text: string): readonly Range[] | null {
  const ranges: Range[] = [];
  for (const part of text.split(",")) {
    const [type = "", ...rest] = part.split(";").map((one) => one.trim());
    if (!TYPE.test(type)) return null;
    const parameters: [string, string][] = [];
    let weight = 1;
    for (const one of rest) {
      const equals = one.indexOf("=");
      const name = one.slice(0, equals).toLowerCase();
      const written = one.slice(equals + 1);
      const isQuoted = written.length > 2 && written.startsWith('"') && written.endsWith('"');
      const value = isQuoted ? written.slice(1, -1) : written;
      if (equals < 1 || !TOKEN.test(name) || !TOKEN.test(value)) return null;
      if (name === "q" && !WEIGHT.test(value)) return null;
      if (name === "q") weight = Number(value);
      parameters.push([name, value]);
    }
    ranges.push({ type, parameters, weight });
  }
  return ranges;
}
