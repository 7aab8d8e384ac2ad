import { writtenPairs, writtenSegment } from "../../bodies/written-parameters.ts";
import type { RequestPart } from "../../filters/filter.ts";
import { parseTemplate } from "../../matching/template.ts";
import type { DescribedRoute } from "../../policy/described-routes.ts";
import type { TestRequest } from "../../policy/tests/request-section.ts";
import { plainExample } from "../../schema/questions/plain-values.ts";
import { textTypesOf } from "../../schema/questions/texts.ts";

/** A request that is good as far as its form goes. */
export interface Operation {
  /** Those of one title stand in one matrix. */
  readonly title: string;
  /** Another one for each operation of a title. */
  readonly action: string;
  readonly request: TestRequest & { readonly path: string };
}

/** What a route without `methods` is tried with. */
const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/** Each route × method, with what its parameters and its body have to be. */
export function operationsOf(routes: readonly DescribedRoute[]): readonly Operation[] {
  return routes.flatMap((route) => {
    const [host] = route.hosts;
    const title = host === undefined ? route.template : `${host}${route.template}`;
    const methods = route.methods.length === 0 ? METHODS : route.methods;
    const base = requestOf(route);
    return methods.map((method) => ({ title, action: method, request: withMethod(base, method) }));
  });
}

/** Some methods have no body, whatever the route says of those of others. */
function withMethod(request: Operation["request"], method: string): Operation["request"] {
  const { body, ...bodiless } = request;
  const hasBody = body !== undefined && !/^(?:GET|HEAD|DELETE|OPTIONS)$/.test(method);
  return { method, ...(hasBody ? request : bodiless) };
}

function requestOf({ template, hosts, parts }: DescribedRoute): Operation["request"] {
  const [host] = hosts;
  const wanted = parts.filter(({ where, isRequired }) => isRequired || where === "path");
  const of = (where: RequestPart["where"]): RequestPart[] => wanted.filter((part) => part.where === where);
  const query = of("query")
    .flatMap((part) => pairsOf(part))
    .map(([name, text]) => `${name}=${text}`);
  const cookies = of("cookies")
    .flatMap((part) => pairsOf(part))
    .map(([name, text]) => `${name}=${text}`);
  const headers: Record<string, string> = {};
  if (host !== undefined) headers["Host"] = host.replace(/^\*/, "a");
  for (const part of of("headers")) for (const [, text] of pairsOf(part, String)) headers[part.name] = text;
  if (cookies.length > 0) headers["Cookie"] = cookies.join("; ");
  const [body] = of("body").filter(({ name }) =>
    /^(?:application\/(?:[^/;]+\+)?json|\*\/\*|application\/\*)$/i.test(name),
  );
  const value = body?.schema.example();
  const path = `${pathOf(template, of("path"))}${query.length === 0 ? "" : `?${query.join("&")}`}`;
  return {
    path,
    ...(Object.keys(headers).length === 0 ? {} : { headers }),
    ...(value === undefined ? {} : { body: value }),
  };
}

/** What stands where nothing says what has to stand there. */
const ANYTHING = "1";

function pathOf(template: string, parts: readonly RequestPart[]): string {
  const parsed = parseTemplate(template);
  if (!parsed.ok) return template;
  const segments = parsed.value.segments.map((segment) => {
    if (segment.kind === "static") return segment.text;
    const part = parts.find(({ name }) => name === segment.name);
    const value = part === undefined ? undefined : exampleOf(part);
    if (part === undefined || value === undefined) return ANYTHING;
    if (part.style === null) return encodeURIComponent(JSON.stringify(value));
    return writtenSegment(part.name, value, part.style.name, part.style.explode);
  });
  return `/${[...segments, ...(parsed.value.hasRest ? [ANYTHING] : [])].join("/")}`;
}

function pairsOf(
  part: RequestPart,
  escaping: (value: unknown) => string = (value) => encodeURIComponent(String(value)),
): readonly (readonly [string, string])[] {
  const value = exampleOf(part);
  if (value === undefined) return [];
  if (part.style === null) return [[part.name, escaping(JSON.stringify(value))]];
  return writtenPairs(part.name, value, part.style.name, part.style.explode, escaping);
}

function exampleOf({ schema, style }: RequestPart): unknown {
  return plainExample(schema, textTypesOf([schema.root]), style === null);
}
