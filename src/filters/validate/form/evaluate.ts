import { isUtf8 } from "node:buffer";
import { boundaryOf } from "../../../bodies/boundary.ts";
import { type FormValues, parseForm, parseFormInTurns } from "../../../bodies/form.ts";
import { isMultipart, mediaTypeOf } from "../../../bodies/media-type.ts";
import { CONTINUE, Denial, type Verdict } from "../../../decision/verdict.ts";
import type { Exchange } from "../../../message/exchange.ts";
import { DEFAULTS } from "../../../support/defaults.ts";
import { excerpt } from "../../../support/excerpt.ts";
import type { Result } from "../../../support/result.ts";
import { judgeHeld, judgeInLine, type Part } from "../held-body.ts";
import { ParameterFaults } from "../parameter-faults.ts";
import { type FormRules, isOtherCharset, judgeField, malformed } from "./rules.ts";
import { FormWatch, missingFile } from "./watch.ts";

/**
 * The part of the check that judges a form which is here whole, or is to be: urlencoded, or one that nothing may pass of
 * before all was judged. Others are watched on their way.
 */
export function judgeForm(rules: FormRules): Part {
  const { bytesMax, collectedBytesMax, fieldsBytesMax } = rules;
  const textBytesMax = Math.min(bytesMax, fieldsBytesMax);
  const urlencoded = judgeHeld(
    { ...rules, bytesMax: textBytesMax, collectedBytesMax: Math.min(collectedBytesMax, DEFAULTS.bodyBytesMax) },
    (bytes, exchange) => judgeUrlencoded(bytes, exchange, rules),
  );
  const multipart = judgeHeld(rules, (bytes, exchange) => judgeMultipart(bytes, exchange, rules));
  return (exchange) => {
    const type = exchange.headers.get("content-type");
    if (!isMultipart(mediaTypeOf(type ?? "")?.type ?? "")) return urlencoded(exchange);
    if (boundaryOf(type ?? "") === null)
      return malformed("body_not_multipart", "no boundary, or one of many readings", rules.place);
    return rules.isBuffered || exchange.collectedBody !== null || exchange.body.announcedBytes === 0
      ? multipart(exchange)
      : CONTINUE;
  };
}

/** Who judges the form as it streams; null where it was judged whole. */
export function watchForm(exchange: Exchange, rules: FormRules): FormWatch | null {
  const type = exchange.headers.get("content-type") ?? "";
  if (!isMultipart(mediaTypeOf(type)?.type ?? "")) return null;
  const boundary = boundaryOf(type);
  return boundary === null ? null : new FormWatch(rules, boundary);
}

const STRETCH_BYTES = 64 * 1024;

function judgeMultipart(bytes: Buffer, exchange: Exchange, rules: FormRules): Verdict | Promise<Verdict> {
  const watch = watchForm(exchange, rules);
  if (watch === null) return CONTINUE;
  const stretch = (at: number): Verdict => {
    const judged = watch.scan(bytes.subarray(at, at + STRETCH_BYTES));
    return judged instanceof Denial ? judged : CONTINUE;
  };
  if (bytes.length <= DEFAULTS.bodyAtOnceBytesMax) return (bytes.length === 0 ? CONTINUE : stretch(0)) ?? watch.end();
  return judgeInLine(exchange, rules, async (begin) => {
    const turns = begin();
    for (let at = 0; at < bytes.length; at += STRETCH_BYTES) {
      const verdict = stretch(at);
      if (verdict !== CONTINUE) return verdict;
      if (turns.due) await turns.give();
    }
    return watch.end();
  });
}

function judgeUrlencoded(bytes: Buffer, exchange: Exchange, rules: FormRules): Verdict | Promise<Verdict> {
  if (!isUtf8(bytes)) return malformed("body_not_form", "not UTF-8", rules.place);
  const text = bytes.toString("utf8");
  if (bytes.length <= DEFAULTS.bodyAtOnceBytesMax) return judgeValues(parseForm(text, rules.declared), rules);
  return judgeInLine(exchange, rules, async (turns) =>
    judgeValues(await parseFormInTurns(text, rules.declared, turns()), rules),
  );
}

function judgeValues(parsed: Result<FormValues, string>, rules: FormRules): Verdict {
  const { fields, files, place, placeOf, partsMax, fieldBytesMax } = rules;
  if (!parsed.ok) return malformed("body_not_form", excerpt(parsed.error), place);
  const faults = new ParameterFaults("form");
  const fault = (keyword: string, detail: string, seen: string) => {
    return [{ pointer: "", keyword, detail, seen, place: placeOf(keyword) }];
  };
  let count = 0;
  for (const [name, values] of parsed.value) {
    count += values.length;
    const isLong = values.some((value) => Buffer.byteLength(value) > (fields.get(name)?.bytesMax ?? fieldBytesMax));
    if (isLong) faults.add(name, fault("maxFieldBytes", "expected a shorter value", "more bytes"));
    const charset = values.find((value) => isOtherCharset(name, value));
    if (charset !== undefined) return malformed("body_not_form", `a form in charset ${excerpt(charset)}`, place);
    const isUnknown = !fields.has(name) && (rules.refusesUndeclared || files.has(name));
    if (isUnknown) faults.add(name, fault("undeclared", "no such field is expected", "undeclared"));
  }
  if (count > partsMax) faults.add(null, fault("maxParts", `expected at most ${partsMax} fields`, "more fields"));
  const early = faults.verdict(rules.showsErrors);
  if (early !== CONTINUE) return early;
  for (const [name, field] of fields) faults.add(name, judgeField(field, parsed.value.get(name) ?? []));
  for (const file of files.values()) if (file.required) faults.add(file.name, [missingFile(file)]);
  return faults.verdict(rules.showsErrors);
}
