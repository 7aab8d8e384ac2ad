import { segmentShape } from "../../bodies/segment-parts.ts";
import { WITHOUT_BODY } from "../../message/method.ts";
import type { Description } from "../../openapi/description.ts";
import type { DescribedParameter, Operation, SchemaReference } from "../../openapi/operation.ts";
import { FIXED_METHODS } from "../../openapi/operations.ts";
import { pointerToken } from "../../schema/document.ts";
import { headerName } from "../../support/schema.ts";
import { addBody } from "./bodies.ts";
import { placeOf, type RouteEntry } from "./entry.ts";
import type { Lowering } from "./lowering.ts";
import { lowerParameter } from "./parameters.ts";
import type { LoweredTemplate } from "./template.ts";

/** Parameters and body of an operation as `validate` of its route. */
export function addValidation(
  entry: RouteEntry,
  operation: Operation,
  template: LoweredTemplate,
  lowering: Lowering,
): void {
  const at = () => placeOf(operation.place, operation.pointer);
  entry.placeAt(["validate"], at);
  const unread = addParameters(entry, operation, template, lowering);
  const { undeclaredParameters } = lowering;
  const isWhole = operation.parameters.some((parameter) => parameter.in === "querystring");
  if (undeclaredParameters !== "ignore" && !isWhole) {
    // What is declared and not read would be taken for undeclared.
    if (unread === null) entry.set(["validate", "unknownQuery"], undeclaredParameters, at);
    else lowering.loose("undeclared parameters beside one that is not enforced", unread.place);
  }
  addOwnBody(entry, operation, lowering);
}

function addOwnBody(entry: RouteEntry, operation: Operation, lowering: Lowering): void {
  const { method, body } = operation;
  const { description, loose, requests } = lowering;
  const at = () => placeOf(operation.place, operation.pointer);
  if (!WITHOUT_BODY.has(method)) {
    if (body !== null) addBody(entry, operation, body, lowering);
    // Rails and Laravel lay members of a body over those of the query, whatever is declared.
    else if (requests.undeclared !== "ignore") entry.set(["validate", "body", "maxBytes"], "0B", at);
  } else if (body !== null && description.version === "3.0") {
    // Readers ignore it there (OpenAPI 3.0 section 4.7.10.1): were it asked for, no request could pass.
    loose(`bodies of ${method}`, body.place);
  } else if (body !== null) {
    addBody(entry, operation, body, lowering);
    entry.set(["keepBodiesIn"], [method], at);
  }
}

const SECTIONS = { path: "path", query: "query", header: "headers", cookie: "cookies" } as const;

/** Gives a parameter of the query that is not read; null where there is none. */
function addParameters(
  entry: RouteEntry,
  operation: Operation,
  template: LoweredTemplate,
  { description, loose }: Lowering,
): DescribedParameter | null {
  let unread: DescribedParameter | null = null;
  const { library } = description;
  const nameOf = (schema: SchemaReference): string => parameterSchemaName(schema, operation, description);
  const isWhole = operation.parameters.some((parameter) => parameter.in === "querystring");
  for (const parameter of operation.parameters) {
    const { schema, place, style } = parameter;
    if (isWhole && parameter.in === "query") {
      loose("parameters beside a querystring", place);
      continue;
    }
    const { settings, loose: told } = lowerParameter(parameter, library, nameOf);
    for (const what of told) loose(what, place);
    if (settings === null) {
      if (parameter.in === "query") unread ??= parameter;
      continue;
    }
    // It has the place of the parameter; what its schema says stands there, or where that leads.
    const at = () => placeOf(place, schema?.pointer ?? "");
    if (parameter.in === "querystring") {
      entry.set(["validate", "queryString"], settings, at);
      continue;
    }
    const section = SECTIONS[parameter.in];
    const segments = section === "path" ? segmentsWith(parameter.name, template) : [];
    for (const segment of segments)
      entry.set(["validate", "path", segment, "parameters", parameter.name], settings, at);
    const names = section === "path" ? (template.names.get(parameter.name) ?? []) : [parameter.name];
    if (names.length + segments.length === 0) {
      const isRest = bare(parameter.name) === bare(template.rest ?? "");
      loose(
        isRest ? "parameters of several segments" : "parameters of a segment that nothing parts, or of none",
        place,
      );
    }
    for (const name of names) {
      if (section === "headers" && !headerName.safeParse(name).success) loose("headers whose name is none", place);
      else entry.set(["validate", section, section === "headers" ? name.toLowerCase() : name], settings, at);
    }
    if (style === "matrix") entry.set(["keepInPaths"], ["parameters"], at);
  }
  return unread;
}

/** Without the sign that it takes several segments, which some leave out of the name. */
function bare(name: string): string {
  return name.replace(/^\*+|\+$/g, "");
}

/** Segments that a parameter is a part of, and that it can be told from. */
function segmentsWith(name: string, { partial }: LoweredTemplate): readonly string[] {
  const own = partial.filter(({ parameters, written }) => parameters.includes(name) && segmentShape(written) !== null);
  return own.map((segment) => segment.name);
}

/** The same for a parameter's, which stands at the operation or at its path. */
function parameterSchemaName(
  { document, pointer }: SchemaReference,
  { method, template, parameters }: Operation,
  { file, root, library }: Description,
): string {
  const direct = `${document.file}#${pointer}`;
  if (document === root.document) return direct;
  const path = `/paths/${pointerToken(template)}`;
  const key = FIXED_METHODS.has(method) ? method.toLowerCase() : `additionalOperations/${pointerToken(method)}`;
  for (let at = 0; at < parameters.length; at++) {
    for (const owner of [`${path}/${key}`, path]) {
      const inner = `${owner}/parameters/${at}/schema`;
      const found = library.find(file, inner);
      if (found?.document === document && found.pointer === pointer) return `${file}#${inner}`;
    }
  }
  return direct;
}
