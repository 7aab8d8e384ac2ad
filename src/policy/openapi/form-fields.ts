import { hasParts, isForm, isJson, isText, mediaTypeOf } from "../../bodies/media-type.ts";
import { shapeOf } from "../../filters/validate/compile-parameters.ts";
import type { Description } from "../../openapi/description.ts";
import { schemaAt } from "../../openapi/media.ts";
import type { Members } from "../../openapi/spot.ts";
import { type TextTypes, textTypesOf } from "../../schema/questions/texts.ts";
import { TYPE } from "../../schema/subschema.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { firstText, type Part, together } from "./form-parts.ts";

/** As a policy has them. */
export type Settings = Readonly<Record<string, unknown>>;

/** How a property of a form is sent. `none`: in no way that all services read alike. */
export type FieldKind =
  | { readonly is: "text" | "list" | "json" | "jsonList" | "untyped" | "none" }
  | {
      readonly is: "file";
      readonly isList: boolean;
      /** What says of one file what it is. */
      readonly own: readonly Part[];
      /** Media types, as written; null where nothing says. */
      readonly said: string | null;
      /** Whether its schema takes an empty text in its place. */
      readonly takesPlaceholder: boolean;
    };

/** `encoding`: what the media type says of the property. */
export function kindOf(part: Part, encoding: Members, range: string, description: Description): FieldKind {
  const { reading, library } = description;
  const parts = together(part, reading);
  const reference = schemaAt(part.spot, reading);
  const compiled = reference === null ? null : library.compile(reference, true);
  if (compiled?.ok !== true) return { is: "none" };
  const types = textTypesOf([compiled.value.root]);
  const list = parts.find(({ spot }) => spot.at("items") !== null);
  const item = list !== undefined && (types.types & TYPE.array) !== 0 ? list.spot.at("items") : null;
  const own = item === null ? parts : together({ spot: item, pointer: "" }, reading);
  const written = encoding["contentType"];
  const said = typeof written === "string" ? written : firstText(own, "contentMediaType");
  if (hasParts(range) && isFile(own, said)) {
    const isList = item !== null;
    const takesPlaceholder = compiled.value.validator.judge(isList ? [""] : "") === null;
    return { is: "file", isList, own, said, takesPlaceholder };
  }
  if (isUntyped(parts)) return { is: "untyped" };
  const shape = shapeOf(types, "form");
  if (shape === "object") return { is: "json" };
  if (shape === "primitive") return { is: isTextual(types) ? "text" : "none" };
  const one = types.item(0);
  return { is: isTextual(one) ? "list" : shapeOf(one, "form") === "object" ? "jsonList" : "none" };
}

function isFile(own: readonly Part[], said: string | null): boolean {
  const encoding = firstText(own, "contentEncoding");
  const isBinary = encoding === "binary" || own.some(({ spot }) => spot.members["format"] === "binary");
  // These are the bytes themselves (RFC 2045 section 6.2).
  const isEncoded = encoding !== null && !["7bit", "8bit", "binary"].includes(encoding);
  return isBinary || (!isEncoded && said !== null && !said.split(",").every(isFieldType));
}

function isTextual({ types }: TextTypes): boolean {
  return (types & ~(TYPE.array | TYPE.object | TYPE.null)) !== 0;
}

/** What a file may be. `parts`: what surely speaks of it; null where only alternatives do. */
export function fileOf(
  { isList, own, said }: FieldKind & { readonly is: "file" },
  parts: readonly Part[] | null,
): Settings {
  if (parts === null) return isList ? { maxCount: DEFAULTS.formPartsMax } : {};
  const kinds = typesOf(said);
  const length = own.map(({ spot }) => spot.members["maxLength"]).find((one) => typeof one === "number");
  const items = parts.map(({ spot }) => spot.members["maxItems"]).find((one) => typeof one === "number");
  return {
    ...(kinds === null ? { content: "unchecked" as const } : { types: kinds }),
    ...(length === undefined || length < 1 ? {} : { maxBytes: `${length}B` }),
    ...(isList ? { maxCount: Math.max(1, items ?? DEFAULTS.formPartsMax) } : {}),
  };
}

/** A field of which the form as a whole says what it may be. */
export function fieldOfKind(is: FieldKind["is"], styled: Settings, takesBlob: boolean): Settings {
  if (is === "json")
    return { type: "object", ...(takesBlob && styled["style"] === undefined ? { blob: "allow" } : {}), ...styled };
  if (is === "jsonList") return { type: "array", items: { type: "object" }, ...styled };
  if (is === "list") return { type: "array", items: { type: "string" }, ...styled };
  return { type: "string" };
}

/**
 * The style in which a property is written (OpenAPI 3.2 section 4.15.1.1), which counts where one of its words is there and
 * else not; a text for what has no reading of its own.
 */
export function styledAs(kind: FieldKind, encoding: Members, range: string): Settings | string {
  const { contentType, style = "form", explode } = encoding;
  const isSaid = ["style", "explode", "allowReserved"].some((word) => encoding[word] !== undefined);
  if (kind.is === "text" || kind.is === "file") return isSaidJson(contentType) ? NO_JSON : {};
  const isObject = kind.is === "json";
  if (!isSaid) {
    if (kind.is === "list") return isSaidJson(contentType) ? NO_JSON : {};
    return contentType === undefined || isSaidJson(contentType) ? {} : "objects of forms that are no JSON";
  }
  if (style === "deepObject") return { style };
  if (isObject || kind.is === "jsonList") return "objects of forms in styles other than deepObject";
  if (style === "form" && explode !== false) return {};
  if (!isForm(range)) return "items of multipart forms in one field";
  return style === "form" || ((style === "spaceDelimited" || style === "pipeDelimited") && explode !== true)
    ? { style }
    : "styles of fields of forms";
}

const NO_JSON = "texts of forms as JSON";

function isSaidJson(contentType: unknown): boolean {
  return typeof contentType === "string" && isJson(mediaTypeOf(contentType)?.type ?? "");
}

/** Nothing that it says is of one type: a client may send a text as well as a file. */
function isUntyped(parts: readonly Part[]): boolean {
  const words = [
    "type",
    "properties",
    "items",
    "enum",
    "const",
    "pattern",
    "minLength",
    "maxLength",
    "format",
    "minimum",
    "maximum",
    "anyOf",
    "oneOf",
  ];
  return !parts.some(({ spot: { members } }) => words.some((word) => members[word] !== undefined));
}

/** Whether a part of this type is a text that its schema judges. */
function isFieldType(text: string): boolean {
  const type = mediaTypeOf(text.trim())?.type ?? "";
  return isJson(type) || isText(type);
}

/** Types and ranges that a file may have; null for any. */
function typesOf(said: string | null): readonly string[] | null {
  const types = (said ?? "*/*").split(",").map((text) => (text.split(";", 1)[0] ?? "").trim().toLowerCase());
  const isNamed = types.every((type) => /^[!#$&^_.+a-z0-9-]+\/(?:\*|[!#$&^_.+a-z0-9-]+)$/.test(type));
  return isNamed && !types.includes("application/octet-stream") ? types : null;
}
