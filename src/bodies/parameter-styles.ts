import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";
import { decodeStrictly } from "./form.ts";
import { oneStepInto } from "./names.ts";

/** How a parameter's value is written: the styles of OpenAPI 3, of which all but three are those of RFC 6570. */
export type Style =
  | "simple"
  | "label"
  | "matrix"
  | "form"
  | "spaceDelimited"
  | "pipeDelimited"
  | "deepObject"
  | "cookie";

/** What a parameter's schema makes of it. */
export type Shape = "primitive" | "array" | "object";

export interface StyledParameter {
  readonly name: string;
  readonly style: Style;
  readonly explode: boolean;
  readonly shape: Shape;
  /** Of an object that is written as parameters of its own: which of them are its. */
  readonly properties: readonly string[];
}

/** Whether the members of an object in a query are parameters of their own. */
export function isSpreadObject({
  style,
  explode,
  shape,
}: Pick<StyledParameter, "style" | "explode" | "shape">): boolean {
  return style === "form" && explode && shape === "object";
}

/**
 * A value as text: of a primitive, of each item, of each property; of one whose name came several times all of them. What
 * type the texts are, and whether there may be several, a schema says.
 */
export type Leaves = string | readonly string[] | ReadonlyMap<string, string | readonly string[]>;

/**
 * All that services may take a parameter for. There are two where a delimiter stands escaped inside an item: whoever splits
 * first has one item, whoever decodes first has two. A value is good where every reading is.
 */
export type Readings = readonly Leaves[];

/** Values by decoded name, still escaped, in the order in which they came. */
export type EscapedValues = ReadonlyMap<string, readonly string[]>;

/** The error of a value that may stand once and stands there several times. */
export const SENT_TWICE = "sent twice";

/** One segment of a path, or a part of one, escapes in place. The error is what is wrong with it. */
export function readPathStyle(parameter: StyledParameter, escaped: string): Result<Readings, string> {
  const { name, style, explode, shape } = parameter;
  if (style === "label") {
    if (!escaped.startsWith(".")) return err("a value that does not begin with a dot");
    return readList(escaped.slice(1), explode ? "." : ",", explode, shape, decodePath);
  }
  if (style !== "matrix") return readList(escaped, ",", explode, shape, decodePath);
  if (!escaped.startsWith(";")) return err("a value that does not begin with ;");
  const pieces = escaped.slice(1).split(";", DEFAULTS.formFieldsMax + 1);
  if (explode && shape === "object") return readPairs(pieces, decodePath);
  const values: string[] = [];
  for (const piece of pieces) {
    const [own = "", value] = cut(piece);
    if (decodePath(own) !== name) return err(`a name that is not ${name}`);
    values.push(value ?? "");
  }
  if (explode && shape === "array") return readItems(values, decodePath);
  const [only = ""] = values;
  return values.length > 1 ? err(SENT_TWICE) : readList(only, ",", false, shape, decodePath);
}

/** All of a query; null where the parameter is not there. */
export function readQueryStyle(parameter: StyledParameter, query: EscapedValues): Result<Readings | null, string> {
  const { name, style, explode, shape, properties } = parameter;
  if (shape === "object" && style === "deepObject")
    return readProperties(properties, (property) => `${name}[${property}]`, query, true);
  if (isSpreadObject(parameter)) return readProperties(properties, asIs, query, false);
  if (style === "deepObject") return shape === "array" ? readSteps(name, query) : err("a value that is no object");
  const values = query.get(name) ?? [];
  if (values.length === 0) return ok(null);
  if (explode && shape === "array") return readItems(values, decodeStrictly);
  const [only = ""] = values;
  if (values.length > 1) return err(SENT_TWICE);
  return readList(only, DELIMITERS[style] ?? ",", false, shape, decodeStrictly);
}

const DELIMITERS: Partial<Record<Style, string>> = { spaceDelimited: " ", pipeDelimited: "|" };

/** Items that are in one text, once it is decoded. */
export function itemsIn(text: string, style: Style): readonly string[] {
  return split(text, DELIMITERS[style] ?? ",");
}

/** Lines of one header; null where there is none. Nothing in a header is escaped. */
export function readHeaderStyle(
  { explode, shape }: StyledParameter,
  lines: readonly string[],
): Result<Readings | null, string> {
  if (lines.length === 0) return ok(null);
  // Lines of a list are one list (RFC 9110 section 5.3); of anything else two lines are two values.
  if (lines.length > 1 && shape === "primitive") return err(SENT_TWICE);
  const text = lines.join(",");
  if (shape === "primitive") return ok([text]);
  const items = text.split(",", DEFAULTS.formFieldsMax + 1).map((item) => item.trim());
  if (shape === "object") return explode ? readPairs(items, asIs) : readAlternating(items, asIs);
  return readItems(items, asIs);
}

/** Values of one cookie; null where there is none. Style `form` escapes, style `cookie` does not. */
export function readCookieStyle(
  { style, explode, shape }: StyledParameter,
  values: readonly string[],
): Result<Readings | null, string> {
  if (values.length === 0) return ok(null);
  const decode = style === "cookie" ? asIs : decodePath;
  if (explode && shape === "array") return readItems(values, decode);
  const [only = ""] = values;
  return values.length > 1 ? err(SENT_TWICE) : readList(only, ",", false, shape, decode);
}

// ---- one value -----------------------------------------------------------------------------------------------------

type Decode = (text: string) => string | null;

const asIs = (text: string): string => text;

/** Escapes are bytes of UTF-8; a plus is a plus. */
function decodePath(text: string): string | null {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

const NO_UTF8 = "an escape that is no UTF-8";

/** A value whose parts stand between delimiters. */
function readList(
  escaped: string,
  delimiter: string,
  explode: boolean,
  shape: Shape,
  decode: Decode,
): Result<Readings, string> {
  if (shape === "primitive") {
    const text = decode(escaped);
    return text === null ? err(NO_UTF8) : ok([text]);
  }
  const read = (pieces: readonly string[], decodePiece: Decode): Result<Readings, string> => {
    if (shape === "array") return readItems(pieces, decodePiece);
    return explode ? readPairs(pieces, decodePiece) : readAlternating(pieces, decodePiece);
  };
  const whole = decode(escaped);
  if (whole === null) return err(NO_UTF8);
  const early = read(split(whole, delimiter), asIs);
  // A blank and a pipe cannot stand in a query as they are: their escapes are the delimiters.
  if (delimiter === " " || delimiter === "|") return early;
  const late = read(split(escaped, delimiter), decode);
  if (!late.ok || split(escaped, delimiter).length === split(whole, delimiter).length) return late;
  return early.ok ? ok([...late.value, ...early.value]) : early;
}

/** One piece more than may be, so that it shows. */
function split(text: string, delimiter: string): readonly string[] {
  return text === "" ? [] : text.split(delimiter, DEFAULTS.formFieldsMax + 1);
}

function cut(piece: string): readonly [string, string | undefined] {
  const equals = piece.indexOf("=");
  return equals < 0 ? [piece, undefined] : [piece.slice(0, equals), piece.slice(equals + 1)];
}

function readItems(pieces: readonly string[], decode: Decode): Result<Readings, string> {
  if (pieces.length > DEFAULTS.formFieldsMax) return err(TOO_MANY);
  const items: string[] = [];
  for (const piece of pieces) {
    const item = decode(piece);
    if (item === null) return err(NO_UTF8);
    items.push(item);
  }
  return ok([items]);
}

/** `R=100,G=200` */
function readPairs(pieces: readonly string[], decode: Decode): Result<Readings, string> {
  return readMembers(pieces.map(cut), decode);
}

/** `R,100,G,200` */
function readAlternating(pieces: readonly string[], decode: Decode): Result<Readings, string> {
  const pairs = Array.from({ length: Math.ceil(pieces.length / 2) }, (_, at) => {
    return [pieces[2 * at] ?? "", pieces[2 * at + 1]] as const;
  });
  return readMembers(pairs, decode);
}

function readMembers(
  pairs: readonly (readonly [string, string | undefined])[],
  decode: Decode,
): Result<Readings, string> {
  if (pairs.length > DEFAULTS.formFieldsMax) return err(TOO_MANY);
  const members = new Map<string, string>();
  for (const [escapedName, escapedValue] of pairs) {
    if (escapedValue === undefined) return err("a property without a value");
    const name = decode(escapedName);
    const value = decode(escapedValue);
    if (name === null || value === null) return err(NO_UTF8);
    if (members.has(name)) return err("a property twice");
    members.set(name, value);
  }
  return ok([members]);
}

function readProperties(
  properties: readonly string[],
  nameOf: (property: string) => string,
  query: EscapedValues,
  isOnce: boolean,
): Result<Readings | null, string> {
  const members = new Map<string, string | readonly string[]>();
  for (const property of properties) {
    const texts: string[] = [];
    for (const value of query.get(nameOf(property)) ?? []) {
      const text = decodeStrictly(value);
      if (text === null) return err(NO_UTF8);
      texts.push(text);
    }
    const [only] = texts;
    if (isOnce && texts.length > 1) return err("a property twice");
    if (only !== undefined) members.set(property, texts.length === 1 ? only : texts);
  }
  return ok(members.size === 0 ? null : [members]);
}

/** `tag[]=a&tag[]=b` or `tag[0]=a&tag[1]=b`: a list as the services write it that say deepObject of one. */
function readSteps(name: string, query: EscapedValues): Result<Readings | null, string> {
  const texts: string[] = [];
  let last = "";
  for (const [sent, values] of query) {
    const step = oneStepInto(sent);
    if (step?.[0] !== name) continue;
    if (step[1] !== "" && step[1] !== String(texts.length)) return err("items out of their order");
    if (texts.length > 0 && (step[1] === "" || last === "")) return err("items both with and without a number");
    if (step[1] !== "" && values.length > 1) return err("an item twice");
    texts.push(...values);
    last = step[1];
  }
  return texts.length === 0 ? ok(null) : readItems(texts, decodeStrictly);
}

const TOO_MANY = `more than ${DEFAULTS.formFieldsMax} parts`;
