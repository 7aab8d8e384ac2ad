import { noteFields } from "./fields.ts";
import type { Findings } from "./findings.ts";
import type { Answer, DescribedBody, DescribedParameter, MediaRange, SchemaReference } from "./operation.ts";
import { isMembers, type References, type Spot } from "./spot.ts";

/** What readers of parts of a description share. */
export interface Reading {
  readonly references: References;
  readonly findings: Findings;
}

/** A schema where it really stands; null where there is none, or its reference leads nowhere. */
export function schemaAt(spot: Spot | null, { references, findings }: Reading): SchemaReference | null {
  if (spot === null) return null;
  if (typeof spot.value !== "boolean" && !isMembers(spot.value)) {
    findings.warning(spot.place, "expected a schema: an object, or true or false; it is not enforced");
    return null;
  }
  let at = spot;
  // With other keywords beside it a reference is one of them (3.1).
  while (Object.keys(at.members).length === 1 && at.text("$ref") !== null) {
    const next = references.follow(at, "the schema is not enforced");
    if (next === null) return null;
    at = next;
  }
  return { document: at.document, pointer: at.pointer, value: at.value, place: at.place };
}

export function mediaIn(content: Spot | null, reading: Reading): readonly MediaRange[] {
  if (content === null) return [];
  const media: MediaRange[] = [];
  for (const [range, entry] of content.all()) {
    const spot = reading.references.follow(entry, "the media type is taken without a schema") ?? entry;
    noteFields(spot, "a media type", reading.findings);
    const { encoding, prefixEncoding, itemEncoding } = spot.members;
    media.push({
      range: lowerType(range),
      written: range,
      schema: schemaAt(spot.at("schema"), reading),
      itemSchema: schemaAt(spot.at("itemSchema"), reading),
      encoding: isMembers(encoding) ? encoding : null,
      prefixEncoding: Array.isArray(prefixEncoding) ? prefixEncoding : null,
      itemEncoding: isMembers(itemEncoding) ? itemEncoding : null,
      partHeaders: partHeadersIn(spot, reading),
      place: entry.place,
    });
  }
  return media;
}

/** By the encoding that has them. */
function partHeadersIn(media: Spot, reading: Reading): ReadonlyMap<unknown, readonly DescribedParameter[]> {
  const encodings = [
    ...(media.at("encoding")?.all() ?? []),
    ...(media.at("prefixEncoding")?.all() ?? []),
    ["", media.at("itemEncoding")] as const,
  ];
  return new Map(
    encodings.flatMap(([, spot]) => {
      const headers = spot?.at("headers") ?? null;
      return spot === null || headers === null ? [] : [[spot.value, headersIn(headers, reading)] as const];
    }),
  );
}

function lowerType(range: string): string {
  const [type = "", ...parameters] = range.split(";");
  return [type.trim().toLowerCase(), ...parameters].join(";");
}

/** `requestBody`; null where there is none. */
export function bodyOf(operation: Spot, reading: Reading): DescribedBody | null {
  const written = operation.at("requestBody");
  if (written === null) return null;
  const spot = reading.references.follow(written, "its body is not enforced");
  if (spot === null) return null;
  noteFields(spot, "a body", reading.findings);
  return { required: spot.flag("required"), media: mediaIn(spot.at("content"), reading), place: written.place };
}

/** `responses`; ranges and `default` among them. */
export function answersOf(operation: Spot, reading: Reading): readonly Answer[] {
  const answers: Answer[] = [];
  for (const [status, written] of operation.at("responses")?.all() ?? []) {
    const spot = status.startsWith("x-") ? null : reading.references.follow(written, "the answer is not described");
    if (spot === null) continue;
    noteFields(spot, "an answer", reading.findings);
    const media = mediaIn(spot.at("content"), reading);
    answers.push({ status, media, headers: headersIn(spot.at("headers"), reading), place: written.place });
  }
  return answers;
}

/** Their Content-Type is what `content` says (OpenAPI 3.1 section 4.8.17). */
function headersIn(headers: Spot | null, reading: Reading): readonly DescribedParameter[] {
  const found: DescribedParameter[] = [];
  for (const [name, written] of headers?.all() ?? []) {
    const spot =
      name.toLowerCase() === "content-type" ? null : reading.references.follow(written, "it is not enforced");
    if (spot === null) continue;
    noteFields(spot, "a header", reading.findings);
    found.push({
      name,
      in: "header",
      style: "simple",
      explode: spot.flag("explode"),
      allowReserved: false,
      allowEmptyValue: false,
      required: spot.flag("required"),
      deprecated: spot.flag("deprecated"),
      schema: schemaAt(spot.at("schema"), reading),
      content: mediaIn(spot.at("content"), reading)[0] ?? null,
      place: spot.place,
    });
  }
  return found;
}
