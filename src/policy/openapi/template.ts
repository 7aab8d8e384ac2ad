/** A path of a description as the policy's routes have them. */
export interface LoweredTemplate {
  readonly template: string;
  /** Parameter of the document → parameters of the template, where those are whole segments: services differ on which of two counts. */
  readonly names: ReadonlyMap<string, readonly string[]>;
  /** Segments of which parameters are only a part, as `{id}.json`. */
  readonly partial: readonly PartialSegment[];
  /** The parameter of all segments that are left, as it is written; empty for one without a name. */
  readonly rest: string | null;
}

export interface PartialSegment {
  /** Of the template's parameter that takes all of it. */
  readonly name: string;
  /** The document's parameters in it. */
  readonly parameters: readonly string[];
  /** As it stands. */
  readonly written: string;
  /** What it has to be, parameters as any text: without it the path would take every other segment, too. */
  readonly pattern: string;
}

/** All segments that are left: `{proxy+}` and the path `/$default` of AWS, `*` of WSO2 and Azure, `{*path}` of .NET. */
const REST = /\/(?:\{([^{}+*]+\+|\*+[^{}*]+)\}|\*)$|^\/\$default$/;
const NAME = /^[A-Za-z_][A-Za-z0-9_.-]*$/;

/** Base path and path → template; null for a path with a query or fragment, which no path can be. */
export function lowerTemplate(base: string, path: string): LoweredTemplate | null {
  if (/[?#]/.test(path)) return null;
  const names = new Map<string, string[]>();
  const partial: PartialSegment[] = [];
  const taken = new Set<string>();
  const rest = REST.exec(path);
  const segments = path
    .replace(REST, "/**")
    .split("/")
    .map((segment, at) => {
      const whole = /^\{([^{}]+)\}$/.exec(segment)?.[1];
      if (whole === undefined && !/[{}]/.test(segment)) return escaped(segment);
      const name = free(whole ?? `segment${at}`, taken);
      if (whole === undefined) partial.push({ name, ...partsOf(segment) });
      if (whole !== undefined) names.set(whole, [...(names.get(whole) ?? []), name]);
      return `{${name}}`;
    });
  return { template: `${base}${segments.join("/")}` || "/", names, partial, rest: rest && (rest[1] ?? "") };
}

/** As requests write it: a document may have letters and blanks that no path has. */
function escaped(segment: string): string {
  return segment.replace(/[^\x21-\x7e]+/g, (run) => encodeURIComponent(run.toWellFormed()));
}

const PARAMETER = /\{([^{}]+)\}/;
/** Of ECMA-262 with the flag `u`. */
const SYNTAX = /[\^$\\.*+?()[\]{}|/]/g;

/** Every second part of a split by a group is what the group has. */
function partsOf(segment: string): Omit<PartialSegment, "name"> {
  const parts = segment.split(PARAMETER);
  const parameters = parts.filter((_, at) => at % 2 === 1);
  const texts = parts.map((part, at) => (at % 2 === 1 ? "[\\s\\S]+" : part.replace(SYNTAX, "\\$&")));
  return { parameters, written: segment, pattern: `^${texts.join("")}$` };
}

/** A name as templates take it, and none a second time. */
function free(wanted: string, taken: Set<string>): string {
  const plain = NAME.test(wanted) ? wanted : `_${wanted.replace(/[^A-Za-z0-9_.-]/g, "_")}`;
  let name = plain;
  for (let at = 2; taken.has(name); at++) name = `${plain}_${at}`;
  taken.add(name);
  return name;
}
