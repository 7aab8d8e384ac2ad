import { rangeOf } from "../../bodies/media-ranges.ts";
import {
  hasItems,
  hasNamedParts,
  hasParts,
  isAnyText,
  isForm,
  isJson,
  isMultipart,
  isXml,
} from "../../bodies/media-type.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import type { RouteContext } from "../filter.ts";
import { LANGUAGE_TYPES, type Language } from "./languages.ts";
import type { ContentSettings, ValidateSettings } from "./schema.ts";

type Path = readonly (string | number)[];

/** A media type or range that a body may have, and by what such a body is judged. */
export interface Media {
  readonly range: string;
  /** What its schema is called, or that of its items; null for none. */
  readonly schema: string | null;
  /** The schema is that of each item. */
  readonly isItems: boolean;
  /** Rules in place of a schema. */
  readonly own: Pick<ContentSettings, "form" | "parts" | "xml"> | null;
  /** Of what it is judged by, or of the range where that is nothing. */
  readonly path: Path;
}

/** Types of streams where `contentType` says nothing. */
const ITEM_TYPES: readonly string[] = [
  "application/x-ndjson",
  "application/jsonl",
  "application/json-seq",
  "text/event-stream",
];

/** Ways to judge a body of a media type, of which it has one. */
const WAYS = ["schema", "itemSchema", "form", "parts", "xml"] as const;

/** What `validate` says of bodies, in either form: one schema for all types, or one for each. */
export function mediaOf({ contentType, body }: ValidateSettings, language: Language | null): readonly Media[] | null {
  const usual = { schema: null, isItems: false, own: null };
  if (body?.content !== undefined) {
    return Object.entries(body.content).map(([range, settings]) => {
      const path = ["body", "content", range];
      const { schema, itemSchema, form, parts, xml } = settings;
      if (itemSchema !== undefined)
        return { ...usual, range, schema: itemSchema, isItems: true, path: [...path, "itemSchema"] };
      if (form !== undefined || parts !== undefined || xml !== undefined)
        return { ...usual, range, own: { form, parts, xml }, path };
      return { ...usual, range, schema: schema ?? null, path: schema === undefined ? path : [...path, "schema"] };
    });
  }
  if (language !== null) {
    const path = [language];
    return (contentType ?? LANGUAGE_TYPES[language]).map((range) => ({ ...usual, range, path }));
  }
  if (body?.itemSchema !== undefined) {
    const items = { ...usual, schema: body.itemSchema, isItems: true, path: ["body", "itemSchema"] };
    return (contentType ?? ITEM_TYPES).map((range) => ({ ...items, range }));
  }
  const schema = body?.schema ?? null;
  if (schema === null && contentType === undefined) return null;
  return (contentType ?? ["application/json"]).map((range) => {
    return { ...usual, range, schema, path: schema === null ? ["contentType"] : ["body", "schema"] };
  });
}

/** Problems where it says two things of one body, or what no body of a type can be judged by. */
export function checkMedia(settings: ValidateSettings, media: readonly Media[], context: RouteContext): void {
  const { contentType, body } = settings;
  if (body?.content !== undefined) {
    if (body.schema !== undefined)
      context.problem("'content' has a schema for each type; expected one of the two", "body", "schema");
    if (contentType !== undefined)
      context.problem("'body.content' lists the types; expected one of the two", "contentType");
    for (const { range, path } of media) {
      if (rangeOf(range) === null)
        context.problem(`'${range}' is no media type; expected one as application/json or text/*`, ...path.slice(0, 3));
    }
  }
  checkWays(settings, context);
  for (const [at, { range, schema, isItems, own, path }] of media.entries()) {
    const where: Path = body?.content === undefined ? ["contentType", at] : path;
    const isRange = (rangeOf(range) ?? "*").includes("*");
    if (isItems && !hasItems(range) && !isRange)
      context.problem(`'${range}' has no items; expected one of: ${ITEM_TYPES.join(", ")}`, ...where);
    if (own?.form !== undefined && !isForm(range) && !hasNamedParts(range))
      context.problem(
        `'${range}' is no form; expected multipart/form-data, multipart/mixed or application/x-www-form-urlencoded`,
        ...where,
        "form",
      );
    if (own?.parts !== undefined && (!hasParts(range) || isMultipart(range) || isRange))
      context.problem(`'${range}' has no parts in order; expected a type as multipart/related`, ...where, "parts");
    if (own?.xml !== undefined && !isXml(range))
      context.problem(
        `'${range}' is no XML; expected application/xml, text/xml or a type that ends with +xml`,
        ...where,
        "xml",
      );
    const isKnown = isJson(range) || isForm(range) || isAnyText(range) || isRange;
    if (isItems || schema === null || isKnown) continue;
    context.problem(`the schema cannot look into '${range}'; expected a JSON type, a form or text`, ...where);
  }
  checkItems(settings, media, context);
}

function checkWays({ body }: ValidateSettings, context: RouteContext): void {
  if (body?.itemSchema !== undefined && (body.schema !== undefined || body.content !== undefined)) {
    const other = body.content === undefined ? "schema" : "content";
    context.problem(`expected one of the two, 'itemSchema' or '${other}'`, "body", "itemSchema");
  }
  for (const [range, settings] of Object.entries(body?.content ?? {})) {
    const [one, other] = WAYS.filter((way) => settings[way] !== undefined);
    if (one !== undefined && other !== undefined)
      context.problem(`expected one of the two, '${one}' or '${other}'`, "body", "content", range, other);
  }
}

function checkItems({ body }: ValidateSettings, media: readonly Media[], context: RouteContext): void {
  const isUsed = media.some(({ isItems }) => isItems);
  if (body?.items !== undefined && !isUsed)
    context.problem("nothing is judged item by item; expected 'itemSchema'", "body", "items");
  if ((body?.items?.maxBytes ?? 0) > DEFAULTS.itemBytesLimit) {
    const most = `${DEFAULTS.itemBytesLimit / 1024 ** 2}MiB`;
    context.problem(`an item is held in memory; expected at most ${most}`, "body", "items", "maxBytes");
  }
  if (isUsed && context.isBodyWanted() && !media.some(({ schema, isItems }) => schema !== null && !isItems))
    context.problem("a rule looks at members of the body, which passes item by item", "body");
}
