import { parseJson, parseJsonInSteps } from "../../../bodies/json.ts";
import { noteMembers } from "../../../bodies/json-parser.ts";
import { itemsIn } from "../../../bodies/parameter-styles.ts";
import { CONTINUE, type Verdict } from "../../../decision/verdict.ts";
import type { Exchange } from "../../../message/exchange.ts";
import type { Judgement } from "../../../schema/judge/validator.ts";
import { DEFAULTS } from "../../../support/defaults.ts";
import { atOnce, type Steps } from "../../../support/turns.ts";
import { deepValue, type SentTexts, sentOf } from "../deep-values.ts";
import { fieldValue, SEVERAL_VALUES } from "../form-object.ts";
import { judgeInLine } from "../held-body.ts";
import { ParameterFaults } from "../parameter-faults.ts";
import { type FieldRule, type FormRules, fieldOf, type WholeRule } from "./rules.ts";

/** What has come of a form whose fields are good each. */
export interface SentForm {
  readonly texts: SentTexts;
  /** How many files came under a name. */
  readonly files: ReadonlyMap<string, number>;
  /** Of all texts. */
  readonly bytes: number;
}

/** The form as one object: what may be text or a number is the first of the two with which all of it fits. Long ones are judged in line. */
export function judgeWholeForm(form: SentForm, rules: FormRules, exchange: Exchange): Verdict | Promise<Verdict> {
  const { whole } = rules;
  if (whole === null) return CONTINUE;
  const { validator } = whole;
  if (form.bytes <= validator.atOnceBytesMax) {
    const judge = (prefersText: boolean): Judgement =>
      validator.judge(atOnce(objectOf(form, rules, whole, prefersText)), DEFAULTS.patternWorkAtOnceMax);
    const judgement = judge(false);
    if (judgement === null) return CONTINUE;
    if (!validator.gaveUp(judgement)) return judge(true) === null ? CONTINUE : verdictOf(judgement, whole, rules);
  }
  return judgeInLine(exchange, rules, form.bytes, async (begin) => {
    const turns = begin();
    const judge = async (prefersText: boolean): Promise<Judgement> =>
      validator.judgeInTurns(await turns.run(objectOf(form, rules, whole, prefersText)), turns);
    const judgement = await judge(false);
    return judgement === null || (await judge(true)) === null ? CONTINUE : verdictOf(judgement, whole, rules);
  });
}

function verdictOf(judgement: Judgement, { placeOf }: WholeRule, { showsErrors }: FormRules): Verdict {
  const faults = new ParameterFaults("form");
  const found = (judgement ?? []).map(({ pointer, keyword, detail, place }) => {
    const own = placeOf(keyword);
    const at = place === null ? own : { ...place, path: own.path };
    return { pointer, keyword, detail, seen: `${pointer || "/"} ${keyword}`, place: at };
  });
  faults.add(null, found);
  return faults.verdict(showsErrors);
}

function* objectOf(
  { texts, files }: SentForm,
  rules: FormRules,
  { types }: WholeRule,
  prefersText: boolean,
): Steps<object> {
  const entries = new Map<string, unknown>();
  for (const [sent, values] of texts) {
    yield;
    const field = fieldOf(rules, sent);
    const name = field?.parameter.name ?? sent;
    if (values.length === 0 || entries.has(name)) continue;
    if (field?.way === "deep") entries.set(name, deepValue(types.member(name), sentOf(name, texts), prefersText));
    else if (field?.parameter.isJson === true) entries.set(name, yield* jsonValue(field, values));
    else {
      const isKnown = types.namesOthers || types.names.includes(name);
      const texts =
        field?.way === "delimited" ? values.flatMap((text) => itemsIn(text, field.parameter.styled.style)) : values;
      const value = fieldValue(texts, isKnown ? types.member(name) : null, prefersText);
      entries.set(name, value === SEVERAL_VALUES ? values : value);
    }
  }
  for (const [name, count] of files) {
    const isList = (rules.files.get(name)?.countMax ?? 1) > 1;
    entries.set(name, isList ? Array.from({ length: count }, () => "") : "");
  }
  // Makes members of its own, `__proto__` too.
  const object = Object.fromEntries(entries);
  noteMembers(object, [...entries.keys()]);
  return object;
}

/** Texts that were seen to be JSON. */
function* jsonValue({ isList }: FieldRule, texts: readonly string[]): Steps<unknown> {
  const items: unknown[] = [];
  for (const text of texts) {
    const bytes = Buffer.from(text);
    const value = bytes.length > DEFAULTS.bodyAtOnceBytesMax ? yield* parseJsonInSteps(bytes) : parseJson(bytes);
    items.push(value.ok ? value.value : null);
  }
  return isList ? items : items[0];
}
