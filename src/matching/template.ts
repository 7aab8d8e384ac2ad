import { canonicalTarget } from "../message/target.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";

/**
 * A path template, parsed. `segments` are what stands between slashes, without a last `**`: the template `/` has one
 * empty segment, `/a/` has `a` and an empty one.
 */
export interface Template {
  readonly segments: readonly TemplateSegment[];
  /** Ends with `**`: zero or more further segments, whatever they are. */
  readonly hasRest: boolean;
}

export type TemplateSegment =
  | { readonly kind: "static"; readonly text: string }
  | { readonly kind: "param"; readonly name: string };

/** As Express, Rails and many others write one. As static text it would match no id and, in silence, no request. */
const EXPRESS_PARAM = /^:([A-Za-z_][A-Za-z0-9_]*)/;
/** As routers of other products write one, or all that is left: Flask, Next.js, make, shells, Python. */
const OTHER_PARAM = /^(?:\{\{\s*([\w.]+)\s*\}\}|<(?:\w+:)?(\w+)>|\[(\w+)\]|\$\{(\w+)\}|\$\((\w+)\)|%\((\w+)\)s)$/;
const OTHER_REST = /^(?:\*\w+|<path:\w+>|\[\[?\.\.\.\w+\]\]?|\{\*\*?\w+\}|\{\w+[+*]\}|\{\w+=\*\*\})$/;
const PARAM = /^\{([A-Za-z_][A-Za-z0-9_.-]*)\}$/;

/**
 * Text → template, or what is wrong with it. A segment is static text, `{name}` (one whole segment that is not empty)
 * or, only as the last, `**`: `/v0/**` matches `/v0`, `/v0/`, `/v0/a` and `/v0/a/b`. Static text must be canonical as
 * a request target is (message/target.ts), for other text could never match.
 */
export function parseTemplate(text: string): Result<Template, string> {
  if (!text.startsWith("/")) return err(`'${text}' is not a path; expected it to start with /, as in /v1/orders`);
  if (text.length > DEFAULTS.templateLengthMax) {
    return err(`the path has ${text.length} characters; expected at most ${DEFAULTS.templateLengthMax}`);
  }
  const parts = text.slice(1).split("/");
  const hasRest = parts.at(-1) === "**";
  if (hasRest) parts.pop();
  const segments: TemplateSegment[] = [];
  for (let index = 0; index < parts.length; index++) {
    const part = parts[index] as string;
    const segment = parseSegment(part);
    if (!segment.ok) return segment;
    if (part === "" && (hasRest || index < parts.length - 1)) return err("// has an empty segment; expected one slash");
    segments.push(segment.value);
  }
  const repeated = firstRepeated(segments);
  if (repeated !== null) return err(`{${repeated}} stands twice; expected every parameter once`);
  return ok({ segments, hasRest });
}

/** Templates of one shape match the same paths: parameters' names are of no account. */
export function shapeOf(template: Template): string {
  const segments = template.segments.map((segment) => (segment.kind === "static" ? segment.text : "{}"));
  return `/${[...segments, ...(template.hasRest ? ["**"] : [])].join("/")}`;
}

/** Whether every path of this shape is one of the template's. */
export function coversShape(template: Template, shape: string): boolean {
  const parts = shape.slice(1).split("/");
  const hasRest = parts.at(-1) === "**";
  if (hasRest) parts.pop();
  const { segments } = template;
  if (!template.hasRest && (hasRest || parts.length !== segments.length)) return false;
  return segments.every((segment, at) => {
    const part = parts[at];
    return part !== undefined && (segment.kind === "param" ? part !== "" : segment.text === part);
  });
}

export function paramNames(template: Template): readonly string[] {
  return template.segments.flatMap((segment) => (segment.kind === "param" ? [segment.name] : []));
}

/** Static text that is canonical as it is. */
const PLAIN = /^[A-Za-z0-9_-]+$/;

function parseSegment(text: string): Result<TemplateSegment, string> {
  if (PLAIN.test(text)) return ok({ kind: "static", text });
  const name = PARAM.exec(text)?.[1];
  if (name !== undefined) return ok({ kind: "param", name });
  const colon = EXPRESS_PARAM.exec(text)?.[1];
  if (colon !== undefined) return err(`'${text}' is how Express names a parameter; expected {${colon}}`);
  if (OTHER_REST.test(text)) return err(`'${text}' is how others write the rest of a path; expected ** at the end`);
  const other = OTHER_PARAM.exec(text)
    ?.slice(1)
    .find((found) => found !== undefined);
  if (other !== undefined) return err(`'${text}' is how others write a parameter; expected {${other}}`);
  if (/[{}]/.test(text)) {
    return err(`'${text}' is not a parameter; expected a whole segment {name} of letters, digits, _, - and .`);
  }
  if (text === "**") return err("** stands before the end; expected it only as the last segment");
  if (text.includes("*")) return err(`'${text}' is no wildcard; expected {name} for one segment or, at the end, **`);
  const target = canonicalTarget(`/${text}`);
  if (!target.ok) {
    return err(
      `'${text}' can match no request: ${target.error.seen.replace(/ at offset \d+/, "")}; expected ${target.error.wanted}`,
    );
  }
  if (target.value.query !== "") return err(`'${text}' has a query; expected a path without ?`);
  const canonical = target.value.path.slice(1);
  if (canonical === text) return ok({ kind: "static", text });
  if (canonical === "") return err(`'${text}' is a dot segment and can match no request; expected the path without it`);
  return err(`'${text}' is not canonical and can match no request; expected '${canonical}'`);
}

function firstRepeated(segments: readonly TemplateSegment[]): string | null {
  const names = segments.filter((segment) => segment.kind === "param");
  if (names.length < 2) return null;
  const seen = new Set<string>();
  for (const { name } of names) {
    if (seen.has(name)) return name;
    seen.add(name);
  }
  return null;
}
