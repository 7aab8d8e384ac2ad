/** A path of a description as the policy's routes have them. */
export interface LoweredTemplate {
  readonly template: string;
  /** Parameter of the document → parameter of the template, where that is a whole segment. */
  readonly names: ReadonlyMap<string, string>;
  /** Segments of which a parameter is only a part, as `{id}.json`: any text is taken there. */
  readonly partial: readonly string[];
}

const NAME = /^[A-Za-z_][A-Za-z0-9_.-]*$/;

/** Base path and path → template; null for a path with a query or fragment, which no path can be. */
export function lowerTemplate(base: string, path: string): LoweredTemplate | null {
  if (/[?#]/.test(path)) return null;
  const names = new Map<string, string>();
  const partial: string[] = [];
  const taken = new Set<string>();
  const segments = path.split("/").map((segment, at) => {
    const whole = /^\{([^{}]+)\}$/.exec(segment)?.[1];
    if (whole === undefined && !/[{}]/.test(segment)) return segment;
    if (whole === undefined) partial.push(segment);
    const name = free(whole ?? `segment${at}`, taken);
    if (whole !== undefined && !names.has(whole)) names.set(whole, name);
    return `{${name}}`;
  });
  return { template: `${base}${segments.join("/")}` || "/", names, partial };
}

/** A name as templates take it, and none a second time. */
function free(wanted: string, taken: Set<string>): string {
  const plain = NAME.test(wanted) ? wanted : `_${wanted.replace(/[^A-Za-z0-9_.-]/g, "_")}`;
  let name = plain;
  for (let at = 2; taken.has(name); at++) name = `${plain}_${at}`;
  taken.add(name);
  return name;
}
