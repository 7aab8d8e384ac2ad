import { isUtf8 } from "node:buffer";
import { boundaryOf } from "../../../bodies/boundary.ts";
import { decodedValues, type FormValues, parseEscapedForm, parseForm, parseFormInTurns } from "../../../bodies/form.ts";
import { hasNamedParts, isMultipart, mediaTypeOf } from "../../../bodies/media-type.ts";
import { readQueryStyle } from "../../../bodies/parameter-styles.ts";
import { readNamedHead, readPartHead } from "../../../bodies/part-head.ts";
import { CONTINUE, Denial, type Verdict } from "../../../decision/verdict.ts";
import type { Exchange } from "../../../message/exchange.ts";
import { DEFAULTS } from "../../../support/defaults.ts";
import { excerpt } from "../../../support/excerpt.ts";
import type { Result } from "../../../support/result.ts";
import type { Turns } from "../../../support/turns.ts";
import { judgeDeep, sentOf } from "../deep-values.ts";
import { hasCommas, judgedValues } from "../escaped-commas.ts";
import { judgeHeld, judgeInLine, type Part } from "../held-body.ts";
import { ParameterFaults } from "../parameter-faults.ts";
import { judgeParameter, type ParameterFault } from "../parameters.ts";
import {
  type FieldRule,
  type FormRules,
  fieldOf,
  isLongField,
  isOtherCharset,
  judgeField,
  judgeFieldInTurns,
  malformed,
  OTHER_CHARSET,
} from "./rules.ts";
import { FormWatch, missingFile } from "./watch.ts";
import { judgeWholeForm } from "./whole.ts";

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
    if (!hasNamedParts(mediaTypeOf(type ?? "")?.type ?? "")) return urlencoded(exchange);
    if (boundaryOf(type ?? "") === null)
      return malformed("body_not_multipart", "no boundary, or one of many readings", rules);
    return rules.isBuffered || exchange.collectedBody !== null || exchange.body.announcedBytes === 0
      ? multipart(exchange)
      : CONTINUE;
  };
}

/** Who judges the form as it streams; null where it was judged whole. */
export function watchForm(exchange: Exchange, rules: FormRules, held: Turns | null = null): FormWatch | null {
  const text = exchange.headers.get("content-type") ?? "";
  const type = mediaTypeOf(text)?.type ?? "";
  if (!hasNamedParts(type)) return null;
  const boundary = boundaryOf(text);
  const readHead = isMultipart(type) ? readPartHead : readNamedHead;
  return boundary === null ? null : new FormWatch(rules, boundary, readHead, exchange, held);
}

const STRETCH_BYTES = 64 * 1024;

function judgeMultipart(bytes: Buffer, exchange: Exchange, rules: FormRules): Verdict | Promise<Verdict> {
  if (bytes.length > DEFAULTS.bodyAtOnceBytesMax)
    return judgeInLine(exchange, rules, bytes.length, (begin) => judgeStretches(bytes, exchange, rules, begin()));
  const watch = watchForm(exchange, rules);
  if (watch === null) return CONTINUE;
  const judged = bytes.length === 0 ? 0 : watch.scan(bytes);
  const settle = (found: number | Denial): Verdict | Promise<Verdict> =>
    found instanceof Denial ? found : watch.end();
  return judged instanceof Promise ? judged.then(settle) : settle(judged);
}

async function judgeStretches(bytes: Buffer, exchange: Exchange, rules: FormRules, turns: Turns): Promise<Verdict> {
  const watch = watchForm(exchange, rules, turns);
  if (watch === null) return CONTINUE;
  for (let at = 0; at < bytes.length; at += STRETCH_BYTES) {
    const judged = await watch.scan(bytes.subarray(at, at + STRETCH_BYTES));
    if (judged instanceof Denial) return judged;
    if (turns.due) await turns.give();
  }
  return watch.end();
}

function judgeUrlencoded(bytes: Buffer, exchange: Exchange, rules: FormRules): Verdict | Promise<Verdict> {
  if (!isUtf8(bytes)) return malformed("body_not_form", "not UTF-8", rules);
  const text = bytes.toString("utf8");
  const { declared } = rules;
  if (bytes.length <= DEFAULTS.bodyAtOnceBytesMax)
    return judgeValues(
      rules.isDelimited ? parseEscapedForm(text, declared) : parseForm(text, declared),
      rules,
      exchange,
    );
  return judgeInLine(exchange, rules, bytes.length, async (turns) =>
    judgeValues(await parseFormInTurns(text, declared, turns(), rules.isDelimited), rules, exchange),
  );
}

function judgeValues(
  parsed: Result<FormValues, string>,
  rules: FormRules,
  exchange: Exchange,
): Verdict | Promise<Verdict> {
  const { fields, files } = rules;
  if (!parsed.ok) return malformed("body_not_form", excerpt(parsed.error), rules);
  const values = rules.isDelimited ? decodedValues(parsed.value) : parsed.value;
  for (const [name, texts] of values) {
    const charset = texts.find((text) => isOtherCharset(name, text));
    if (charset !== undefined) return malformed("body_not_form", OTHER_CHARSET, rules);
  }
  const early = boundsFaults(values, rules).verdict(rules.showsErrors);
  if (early !== CONTINUE) return early;
  const faults = new ParameterFaults("form");
  const bytes = exchange.collectedBody?.length ?? 0;
  const end = (): Verdict | Promise<Verdict> => {
    for (const file of files.values()) if (file.required) faults.add(file.name, [missingFile(file)]);
    const verdict = faults.verdict(rules.showsErrors);
    if (verdict !== CONTINUE) return verdict;
    const form = { texts: values, files: NO_FILES, bytes };
    return judgeWholeForm(form, rules, exchange);
  };
  const sent = (name: string): readonly string[] => values.get(name) ?? [];
  const isLong = (name: string, field: FieldRule): boolean => field.way === "plain" && isLongField(field, sent(name));
  if (![...fields].some(([name, field]) => isLong(name, field))) {
    for (const [name, field] of fields) faults.add(name, judgeSent(field, values, parsed.value));
    return end();
  }
  return judgeInLine(exchange, rules, bytes, async (begin) => {
    const turns = begin();
    for (const [name, field] of fields) {
      const found = isLong(name, field) ? await judgeFieldInTurns(field, sent(name), turns) : null;
      faults.add(name, found ?? judgeSent(field, values, parsed.value));
    }
    return end();
  });
}

const NO_FILES: ReadonlyMap<string, number> = new Map();

/** What holds whatever a field's schema says. */
function boundsFaults(values: FormValues, rules: FormRules): ParameterFaults {
  const { files, placeOf, partsMax, fieldBytesMax } = rules;
  const faults = new ParameterFaults("form");
  const fault = (keyword: string, detail: string, seen: string) => {
    return [{ pointer: "", keyword, detail, seen, place: placeOf(keyword) }];
  };
  let count = 0;
  for (const [name, texts] of values) {
    count += texts.length;
    const field = fieldOf(rules, name);
    const isLong = texts.some((text) => Buffer.byteLength(text) > (field?.bytesMax ?? fieldBytesMax));
    if (isLong) faults.add(name, fault("maxFieldBytes", "expected a shorter value", "more bytes"));
    const isUnknown = field === null && (rules.refusesUndeclared || files.has(name));
    if (isUnknown) faults.add(name, fault("undeclared", "no such field is expected", "undeclared"));
  }
  if (count > partsMax) faults.add(null, fault("maxParts", `expected at most ${partsMax} fields`, "more fields"));
  return faults;
}

/** A field by all that was sent of it; `escaped`: values as they stand, where some hold items. */
function judgeSent(field: FieldRule, values: FormValues, escaped: FormValues): readonly ParameterFault[] {
  const { name } = field.parameter;
  if (field.way === "deep") return judgeDeep(field.parameter, sentOf(name, values));
  if (field.way === "plain") return judgeField(field, values.get(name) ?? []);
  const { styled } = field.parameter;
  // Whoever writes a form escapes the commas that part, too.
  const sent = hasCommas(field.parameter) ? judgedValues(field.parameter, escaped) : escaped;
  return judgeParameter(field.parameter, readQueryStyle(styled, sent));
}
