import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, resolve } from "node:path";
import { writtenPairs, writtenSegment } from "../../../src/bodies/written-parameters.ts";
import type { Check, RouteContext } from "../../../src/filters/filter.ts";
import { validateFilter } from "../../../src/filters/validate/compile.ts";
import type { Exchange } from "../../../src/message/exchange.ts";
import { type Description, readDescription } from "../../../src/openapi/description.ts";
import { Findings } from "../../../src/openapi/findings.ts";
import { entriesOf } from "../../../src/policy/openapi/entries.ts";
import { USUAL_LOWERING } from "../../../src/policy/openapi/lowering.ts";
import type { CompiledSchema } from "../../../src/schema/compile.ts";
import { isPlain, plainExample } from "../../../src/schema/questions/plain-values.ts";
import { textTypesOf } from "../../../src/schema/questions/texts.ts";
import { atOnce, stepsOf } from "../../../src/support/turns.ts";
import { createExchange, createRouteContext, MemoryBody, type RequestOptions } from "../../fixtures/route-context.ts";

/** Documents as people write them: a package of examples. */
const folder = dirname(createRequire(import.meta.url).resolve("@readme/oas-examples/package.json"));
export const documentNames = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
  /^3\.\d\/json\/.*\.json$/.test(name),
);

type Section = "path" | "query" | "headers" | "cookies";
interface Settings {
  readonly schema?: string;
  readonly style?: string;
  readonly explode?: boolean;
  readonly content?: string;
}
type Validate = Readonly<Partial<Record<Section, Readonly<Record<string, Settings>>>>> & {
  readonly body?: { readonly content: Readonly<Record<string, { readonly schema?: string }>> };
};

/** A part of a request that has a schema: how it is written, and what fits. */
export interface Part {
  readonly name: string;
  readonly compiled: CompiledSchema;
  readonly example: unknown;
  put(request: DescribedRequest, value: unknown): void;
  canWrite(value: unknown): boolean;
}

export interface DescribedRequest {
  params: string[];
  query: string[];
  headers: [string, string][];
  cookies: string[];
  body: string | null;
}

const escaped = (value: unknown): string => encodeURIComponent(String(value));

function partsOf(validate: Validate, template: string, { library }: Description): readonly Part[] {
  const parts: Part[] = [];
  const schemaOf = (name: string, requests: typeof USUAL_LOWERING.requests | null): CompiledSchema => {
    const hash = name.indexOf("#");
    const reference = library.find(name.slice(0, hash), name.slice(hash + 1));
    const compiled = reference === null ? null : library.compile(reference, true, requests);
    if (compiled?.ok !== true) throw new Error(name);
    return compiled.value;
  };
  const inTemplate = [...template.matchAll(/\{([^}]+)\}/g)].map(([, name = ""]) => name);
  for (const section of ["path", "query", "headers", "cookies"] as const) {
    for (const [name, settings] of Object.entries(validate[section] ?? {})) {
      if (settings.schema === undefined || typeof settings.schema !== "string") continue;
      const compiled = schemaOf(settings.schema, null);
      const usual = section === "query" || section === "cookies" ? "form" : "simple";
      const style = settings.style ?? usual;
      const explode = settings.explode ?? (style === "form" || style === "deepObject");
      const types = textTypesOf([compiled.root]);
      const example = plainExample(compiled, types, settings.content !== undefined);
      const text = (value: unknown, escaping = escaped): readonly (readonly [string, string])[] =>
        settings.content === undefined
          ? writtenPairs(name, value, style, explode, escaping)
          : [[name, escaping(JSON.stringify(value))]];
      parts.push({
        name: `${section} ${name}`,
        compiled,
        example,
        canWrite: (value) => settings.content !== undefined || isPlain(value, types),
        put(request, value) {
          if (section === "path") {
            request.params[inTemplate.indexOf(name)] =
              settings.content === undefined
                ? writtenSegment(name, value, style, explode)
                : escaped(JSON.stringify(value));
          } else if (section === "query") request.query.push(...text(value).map(([key, one]) => `${key}=${one}`));
          else if (section === "cookies") request.cookies.push(...text(value).map(([key, one]) => `${key}=${one}`));
          else request.headers.push(...text(value, String).map(([, one]): [string, string] => [name, one]));
        },
      });
    }
  }
  const schema = validate.body?.content["application/json"]?.schema;
  if (schema !== undefined) {
    const compiled = schemaOf(schema, USUAL_LOWERING.requests);
    const put = (request: DescribedRequest, value: unknown): void => {
      request.body = JSON.stringify(value);
    };
    parts.push({ name: "body", compiled, example: compiled.example(), put, canWrite: () => true });
  }
  return parts;
}

/** An operation that has schemas for its requests, and what a request of it is made of. */
export interface DescribedOperation {
  readonly title: string;
  readonly template: string;
  readonly validate: Validate;
  readonly description: Description;
  /** Null where no fitting value was found for what a request must have. */
  readonly parts: readonly Part[] | null;
}

const readIfThere = (path: string): Buffer | null => (existsSync(path) ? readFileSync(path) : null);

/** `name`: of a document of the package, or a path. */
export function* operationsOf(name: string): Generator<DescribedOperation> {
  const file = resolve(folder, name);
  const { description } = atOnce(readDescription({ file, root: null, overlays: [] }, readIfThere));
  if (description === null) throw new Error(`${name} does not load`);
  const rules = {
    schemes: description.schemes,
    mapping: { written: {}, authenticators: new Map<string, unknown>() },
    isPublic: true,
    hasDefault: true,
    hasDefaultCors: false,
    extensions: [],
    bases: [""],
    lowering: USUAL_LOWERING,
  };
  for (const { entry, template, operation } of atOnce(entriesOf(description, rules, new Findings()))) {
    const validate = JSON.parse(JSON.stringify(entry.value["validate"] ?? {})) as Validate;
    const parts = partsOf(validate, template, description);
    if (parts.length === 0) continue;
    const usable = parts.filter(({ example, canWrite }) => example !== undefined && canWrite(example));
    const missing = parts.filter((part) => !usable.includes(part) && isRequired(part.name, validate));
    const hasBody =
      validate.body === undefined || !isRequired("body", validate) || usable.some((part) => part.name === "body");
    const title = `${name} ${operation.method} ${operation.template}`;
    const isWhole = missing.length === 0 && hasBody;
    yield { title, template, validate, description, parts: isWhole ? usable : null };
  }
}

/** A request with a value for each part. */
export function requestOf(
  { validate, parts }: DescribedOperation,
  valueFor: (part: Part) => unknown,
): DescribedRequest {
  const params = Array<string>(Object.keys(validate.path ?? {}).length).fill("x");
  const made: DescribedRequest = { params, query: [], headers: [], cookies: [], body: null };
  for (const part of parts ?? []) part.put(made, valueFor(part));
  return made;
}

function isRequired(name: string, validate: Validate): boolean {
  const [section = "", key = ""] = name.split(" ", 2);
  if (section === "path") return true;
  if (section === "body") return (validate.body as { readonly required?: boolean }).required !== false;
  return (validate[section as Section]?.[key] as { readonly required?: unknown } | undefined)?.required === true;
}

/** What the operation's `validate` compiles to, and the context in which it did. */
export function compiledValidate({ validate, template, description: { library } }: DescribedOperation): {
  readonly context: RouteContext;
  readonly check: Check | null;
  readonly problems: readonly unknown[];
} {
  const { context, compiled } = createRouteContext({ key: "validate", template });
  const described: typeof context.described = (file, pointer) => {
    const reference = library.find(file, pointer);
    return reference === null ? null : { library, reference };
  };
  const settings = validateFilter.schema.parse(validate);
  atOnce(stepsOf(validateFilter.compile(settings, { ...context, described })));
  return { context, check: compiled.checks[0] ?? null, problems: compiled.problems };
}

export function exchangeOf(
  { params, query, headers, cookies, body }: DescribedRequest,
  more?: RequestOptions,
): Exchange {
  // On the wire, and in a head that was read from it, a header's value is bytes.
  const lines = headers.map(([name, value]): [string, string] => [name, Buffer.from(value).toString("latin1")]);
  if (cookies.length > 0) lines.push(["cookie", cookies.join("; ")]);
  if (body !== null) lines.push(["content-type", "application/json"]);
  return createExchange({
    params,
    query: query.length === 0 ? "" : `?${query.join("&")}`,
    ...more,
    headers: [...lines, ...(more?.headers ?? [])],
    ...(body === null ? {} : { body: new MemoryBody([body]) }),
  });
}
