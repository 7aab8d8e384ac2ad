import { type EntryPath, placesOf } from "../../../bodies/json-paths.ts";
import { JsonRewriter } from "../../../bodies/json-rewriter.ts";
import { Denial } from "../../../decision/verdict.ts";
import { FieldNames } from "../../../message/answer-count.ts";
import type { Exchange } from "../../../message/exchange.ts";
import { DEFAULTS } from "../../../support/defaults.ts";
import type { Steps } from "../../../support/turns.ts";
import { type Condition, compileCondition } from "../condition.ts";
import { JsonRule } from "../json-rule.ts";
import type { PartContext, ResponsePart } from "../part.ts";
import { compilePaths, describePaths, describeRules } from "../paths.ts";
import { fixed, hash, last4, type Mask, MaskEdit } from "./evaluate.ts";
import { MASKS, type MaskRule, type MaskSettings, maskSchema } from "./schema.ts";

/** Paths that say the same of what stands there. */
interface Group {
  readonly rule: MaskRule;
  readonly texts: string[];
}

interface CompiledGroup {
  readonly bit: number;
  readonly mask: Mask;
  readonly applies: Condition;
  readonly paths: readonly EntryPath[];
  /** For `explain`. */
  readonly told: string;
}

const KEY_BYTES_MIN = 16;
const TEXT = "***";

/** `mask`: values of an answer that leave as something else. Those of the same mode are one check, and one pass. */
export const maskPart: ResponsePart<MaskSettings> = {
  schema: maskSchema,
  *compile(settings, context) {
    const byMode = new Map<number, Group[]>();
    for (const group of groupsOf(settings)) {
      const percent = group.rule.mode ?? 100;
      byMode.set(percent, [...(byMode.get(percent) ?? []), group]);
    }
    for (const [percent, groups] of byMode) yield* addCheck(percent, groups, context);
  },
};

function groupsOf(settings: MaskSettings): readonly Group[] {
  const groups = new Map<string, Group>();
  for (const [text, given] of Object.entries(settings)) {
    const rule: MaskRule = typeof given === "string" ? { with: given } : given;
    const key = JSON.stringify(rule, (_name, value: unknown) => (value instanceof Set ? [...value] : value));
    const group = groups.get(key) ?? { rule, texts: [] };
    group.texts.push(text);
    groups.set(key, group);
  }
  return [...groups.values()].sort((a, b) => MASKS.indexOf(a.rule.with) - MASKS.indexOf(b.rule.with));
}

function* addCheck(enforcePercent: number, groups: readonly Group[], context: PartContext): Steps<void> {
  if (groups.length > DEFAULTS.answerRulesMax) {
    context.problem(`${groups.length} different rules; expected at most ${DEFAULTS.answerRulesMax}`);
    return;
  }
  const compiled: (CompiledGroup | null)[] = [];
  for (const [entry, group] of groups.entries()) compiled.push(yield* compileGroup(group, entry, context));
  const sound = compiled.filter((group) => group !== null);
  if (sound.length !== compiled.length) return;
  const root = yield* placesOf(sound.flatMap(({ paths }) => paths));
  const masks = sound.map(({ mask }) => mask);
  const place = context.place();
  const { reading } = context;
  const activeFor = (exchange: Exchange): number =>
    sound.reduce((bits, { bit, applies }) => (applies(exchange) ? bits | bit : bits), 0);
  context.addResponseCheck({
    name: "mask",
    place,
    enforcePercent,
    judgesBody: true,
    appliesTo: (exchange) => sound.some(({ applies }) => applies(exchange)),
    explain: (exchange) => {
      const words = sound.filter(({ applies }) => applies(exchange)).map(({ told }) => told);
      return describeRules(words, "all values as they are", enforcePercent);
    },
    judgeBody: (exchange, answer) => {
      const active = activeFor(exchange);
      if (active === 0) return null;
      let edit: MaskEdit | null = null;
      let masked = 0;
      const names = new FieldNames();
      const count = (): number => masked + (edit?.masked ?? 0);
      return new JsonRule(answer, {
        reading,
        place,
        changes: true,
        isListOfAll: false,
        open: ({ charset }) => {
          masked += edit?.masked ?? 0;
          edit = new MaskEdit(root, masks, active, charset ?? "utf8", names);
          return new JsonRewriter(edit, charset ?? "utf8");
        },
        counted: { action: "masked", count, fields: () => names.shown },
        noted: () => {
          const values = count();
          return values === 0
            ? null
            : new Denial("response_denied", place, `${values} values`, "an answer with them masked");
        },
      });
    },
  });
}

function* compileGroup({ rule, texts }: Group, entry: number, context: PartContext): Steps<CompiledGroup | null> {
  const [first = ""] = texts;
  const paths = yield* compilePaths(texts, entry, (index) => [texts[index] ?? first], context);
  const applies = compileCondition(rule, [first], context);
  const mask = compileMask(rule, first, context);
  if (paths === null || applies === null || mask === null) return null;
  return { bit: 1 << entry, mask, applies, paths, told: `${describePaths(texts)} as ${rule.with}` };
}

/** Null where a problem was reported. */
function compileMask({ with: kind, key, text }: MaskRule, at: string, context: PartContext): Mask | null {
  if (key !== undefined && kind !== "hash") context.problem(`'${kind}' has no key`, at, "key");
  if (text !== undefined && kind !== "fixed") context.problem(`'${kind}' has no text of its own`, at, "text");
  if (kind === "last4") return last4;
  if (kind === "fixed") return fixed(text ?? TEXT);
  if (key === undefined) {
    context.problem("'hash' needs a key, so that nobody finds a value by trying; expected 'key: { file: … }'", at);
    return null;
  }
  const secret = context.secret(key, at, "key");
  if (secret === null) return null;
  if (secret.length >= KEY_BYTES_MIN) return hash(secret);
  context.problem(`the key has fewer than ${KEY_BYTES_MIN} bytes`, at, "key");
  return null;
}
