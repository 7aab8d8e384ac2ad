import { DEFAULTS } from "../support/defaults.ts";

/** `.name`, `."name"`, `["name"]` or `['name']`; the first name stands without its dot. */
const STEP = /\.([^."'\\\s[\]]+)|\.?"((?:[^"\\]|\\["\\])+)"|\["((?:[^"\\]|\\["\\])+)"\]|\['((?:[^'\\]|\\['\\])+)'\]/y;

/** `path.id`, `request.headers["x-name"]`, `jwt."https://example.org/tenant".id` → names, or null where it is none. */
export function parseAttributePath(text: string): readonly string[] | null {
  const first = /^[A-Za-z_]\w*/.exec(text)?.[0];
  if (first === undefined || text.length > DEFAULTS.attributeCharsMax) return null;
  const names = [first];
  for (let at = first.length; at < text.length; at = STEP.lastIndex) {
    STEP.lastIndex = at;
    const match = STEP.exec(text);
    if (match === null) return null;
    const [, plain, dotted, double, single] = match;
    names.push(plain ?? (dotted ?? double ?? single ?? "").replace(/\\(["'\\])/g, "$1"));
  }
  return names;
}

/** The one spelling of a path: in brackets with `isBracketed` what is the last, in quotes what is no plain name. */
export function attributeText(path: readonly string[], isBracketed = false): string {
  const last = path.length - 1;
  return path
    .map((name, at) => {
      if (at > 0 && isBracketed && at === last) return `[${JSON.stringify(name)}]`;
      const written = /^[\w-]+$/.test(name) ? name : JSON.stringify(name);
      return at === 0 ? written : `.${written}`;
    })
    .join("");
}
