import { DEFAULTS } from "../support/defaults.ts";
import type { Steps } from "../support/turns.ts";
import { noteFields } from "./fields.ts";
import type { Findings } from "./findings.ts";
import { FIXED_METHODS } from "./operations.ts";
import { CHILDREN, type Kind } from "./parts.ts";
import { isMembers, type Members, Spot } from "./spot.ts";
import type { Version } from "./versions.ts";

/** A part of a document that has still to be looked at. Its place is looked up where something is wrong with it. */
interface Part {
  readonly kind: Kind;
  readonly value: unknown;
  readonly container: object | null;
  readonly key: string | number;
}

/** What is wrong with a part, as seen from it. */
type Tell = (text: string, ...at: readonly (string | number)[]) => void;

const LOOK_EVERY_PARTS = 128;

/**
 * What the specification forbids and nobody else comes by, as it stands where no operation leads or asks for nothing: pairs of
 * members that exclude each other, names that are none, lists that are empty. In steps; each part once.
 */
export function* noteSlips(root: Spot, version: Version, findings: Findings): Steps<void> {
  const pending: Part[] = [{ kind: "document", value: root.value, container: null, key: "" }];
  const tellOf =
    (part: Part): Tell =>
    (text, ...at) => {
      const spot = spotOf(root, part);
      const where = at.reduce<Spot | null>((inner, key) => inner?.at(key) ?? null, spot);
      findings.warning((where ?? spot).place, text);
    };
  for (let seen = 0; seen < DEFAULTS.openapiNodesMax; seen++) {
    const part = pending.pop();
    if (part === undefined) return;
    if (seen % LOOK_EVERY_PARTS === LOOK_EVERY_PARTS - 1) yield;
    if (part.kind === "schema") {
      lookAtSchema(part, pending, tellOf);
      continue;
    }
    look(part, version, tellOf(part));
    if (!isMembers(part.value) || typeof part.value["$ref"] === "string") continue;
    if (part.kind === "link") noteFields(spotOf(root, part), "a link", findings);
    pending.push(...childrenOf(part.kind, part.value));
  }
}

function spotOf({ document }: Spot, { value, container, key }: Part): Spot {
  return new Spot(document, "", value, container, key);
}

/** Most parts of a large document are schemas, and nothing is wrong with most of these. */
function lookAtSchema(part: Part, pending: Part[], tellOf: (part: Part) => Tell): void {
  const { value } = part;
  if (!isMembers(value)) {
    if (typeof value !== "boolean") tellOf(part)("expected a schema: an object, or true or false; it is not enforced");
    return;
  }
  for (const name in value) {
    if (name === "xml") lookAtXml(value, tellOf(part));
    const shape = Object.hasOwn(CHILDREN.schema, name) ? CHILDREN.schema[name]?.[1] : undefined;
    const inner = value[name];
    if (shape === undefined || typeof inner !== "object") continue;
    if (shape === "one") pending.push({ kind: "schema", value: inner, container: value, key: name });
    else if (Array.isArray(inner))
      for (let at = 0; shape === "list" && at < inner.length; at++)
        pending.push({ kind: "schema", value: inner[at], container: inner, key: at });
    else if (shape === "map" && isMembers(inner))
      for (const key of Object.keys(inner)) pending.push({ kind: "schema", value: inner[key], container: inner, key });
  }
}

function childrenOf(kind: Kind, members: Members): readonly Part[] {
  const parts: Part[] = [];
  const add = (child: Kind, container: Members): void => {
    for (const key in container)
      if (!key.startsWith("x-")) parts.push({ kind: child, value: container[key], container, key });
  };
  if (kind === "callback") add("path", members);
  const children = CHILDREN[kind];
  for (const name in members) {
    const found = Object.hasOwn(children, name) ? children[name] : undefined;
    if (found === undefined) continue;
    const [child, shape] = found;
    const value = members[name];
    if (shape === "one") parts.push({ kind: child, value, container: members, key: name });
    if (shape === "map" && isMembers(value)) add(child, value);
    if (shape === "list" && Array.isArray(value))
      for (let at = 0; at < value.length; at++)
        parts.push({ kind: child, value: value[at], container: value, key: at });
  }
  // Their order is that of the document.
  return parts.reverse();
}

function look({ kind, value, key }: Part, version: Version, tell: Tell): void {
  if (!isMembers(value) || value["$ref"] !== undefined) return;
  const has = (name: string): boolean => Object.hasOwn(value, name);
  for (const [one, others] of EXCLUSIVE[kind] ?? [])
    for (const other of others)
      if (has(one) && has(other)) tell(`'${other}' beside '${one}'; expected one of the two`, other);
  if (kind === "parameter") lookAtParameter(value, version, tell);
  if (kind === "header") lookAtHeader(String(key), value, tell);
  if (kind === "path" || kind === "operation") lookAtQueries(value, tell);
  if (kind === "path") lookAtMethods(value, tell);
  if (kind === "server") lookAtVariables(value, tell);
  if (has("servers") && !Array.isArray(value["servers"]) && kind !== "components")
    tell("expected a list of servers; they are not read", "servers");
  const isEmpty = kind === "document" && !has("paths") && !has("components") && !has("webhooks");
  if (isEmpty) tell("neither 'paths' nor 'components' nor 'webhooks'; expected one of them");
}

const BOTH_ENCODINGS = [["encoding", ["prefixEncoding", "itemEncoding"]]] as const;
const BOTH_EXAMPLES = [["example", ["examples"]]] as const;

/** Members that exclude each other (OpenAPI 3.2 sections 4.12, 4.14, 4.15, 4.19). */
const EXCLUSIVE: Partial<Readonly<Record<Kind, readonly (readonly [string, readonly string[]])[]>>> = {
  parameter: [...BOTH_EXAMPLES, ["content", ["schema", "style", "explode", "allowReserved"]]],
  header: [...BOTH_EXAMPLES, ["content", ["schema", "style", "explode"]]],
  media: [...BOTH_EXAMPLES, ...BOTH_ENCODINGS],
  encoding: BOTH_ENCODINGS,
  example: [
    ["value", ["externalValue", "dataValue", "serializedValue"]],
    ["serializedValue", ["externalValue"]],
  ],
  link: [["operationRef", ["operationId"]]],
};

function lookAtXml({ xml }: Members, tell: Tell): void {
  if (!isMembers(xml) || xml["nodeType"] === undefined) return;
  for (const old of ["attribute", "wrapped"])
    if (xml[old] !== undefined) tell(`'${old}' beside 'nodeType'; expected one of the two`, "xml", old);
}

/** A field name (RFC 9110 section 5.1). */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

function lookAtParameter(parameter: Members, version: Version, tell: Tell): void {
  const { name, in: where, style } = parameter;
  const isReserved = parameter["allowReserved"] !== undefined;
  // What is written as it is has nothing that could stay reserved.
  const isPlain =
    where === "header" || (where === "cookie" && style === "cookie") || (where === "path" && version !== "3.2");
  if (isReserved && isPlain) tell("'allowReserved' means nothing there; take it out", "allowReserved");
  if (where === "cookie" && style === "cookie" && version !== "3.2")
    tell("style 'cookie' is a word of OpenAPI 3.2", "style");
  if (where === "header" && typeof name === "string" && !TOKEN.test(name))
    tell("expected the name of a header", "name");
  if (where === "path" && typeof name === "string" && /[{}/?#]/.test(name))
    tell("a name that no path can have in braces", "name");
  if (where === "querystring" && parameter["schema"] !== undefined)
    tell("'schema' of a querystring; expected 'content'", "schema");
}

function lookAtHeader(name: string, header: Members, tell: Tell): void {
  if (header["allowReserved"] !== undefined) tell("'allowReserved' means nothing there; take it out", "allowReserved");
  if (!TOKEN.test(name)) tell("expected the name of a header");
}

/** A querystring is the whole of a query, so that nothing else of it is left (section 4.12.1). */
function lookAtQueries({ parameters }: Members, tell: Tell): void {
  if (!Array.isArray(parameters)) return;
  const places = parameters.map((parameter) => (isMembers(parameter) ? parameter["in"] : undefined));
  const first = places.indexOf("querystring");
  if (first < 0) return;
  for (const [at, where] of places.entries()) {
    if (where === "querystring" && at !== first) tell("a second querystring; expected one", "parameters", at);
    if (where === "query")
      tell("a parameter of the query beside a querystring; expected one of the two", "parameters", at);
  }
}

function lookAtMethods({ additionalOperations }: Members, tell: Tell): void {
  for (const method of Object.keys(isMembers(additionalOperations) ? additionalOperations : {}))
    if (FIXED_METHODS.has(method))
      tell(`expected '${method.toLowerCase()}' in place of an additional operation`, "additionalOperations", method);
}

function lookAtVariables({ variables }: Members, tell: Tell): void {
  for (const [name, variable] of Object.entries(isMembers(variables) ? variables : {})) {
    const choices = isMembers(variable) ? variable["enum"] : undefined;
    if (Array.isArray(choices) && choices.length === 0)
      tell("an empty list of choices; take it out", "variables", name, "enum");
  }
}
