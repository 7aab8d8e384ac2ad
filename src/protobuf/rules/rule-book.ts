import { DEFAULTS } from "../../support/defaults.ts";
import type { FieldType, MessageType, OneofType } from "../types.ts";
import { celRules, MESSAGE_CEL } from "./cel.ts";
import { BUF_VALIDATE, fieldRulesOf, type Loose, OLD_VALIDATE, type RuleClock } from "./field-rules.ts";
import type { FieldRules, Rule } from "./rule.ts";

/** What is asked of messages of one type. */
export interface MessagePlan {
  readonly fields: readonly FieldPlan[];
  /** Oneofs of which one field has to be there. */
  readonly oneofs: readonly OneofType[];
  /** Fields of which at most one may be there (`buf.validate.message.oneof`). */
  readonly groups: readonly FieldGroup[];
  /** Of the message as a whole. */
  readonly rules: readonly Rule[];
}

export interface FieldPlan {
  readonly field: FieldType;
  readonly rules: FieldRules | null;
  /** Messages within it are judged by their own rules. */
  readonly isDeep: boolean;
}

export interface FieldGroup {
  readonly names: string;
  readonly fields: readonly FieldType[];
  readonly isRequired: boolean;
}

/** The rules (`buf.validate`) of messages and of all within them. */
export class RuleBook {
  readonly #plans = new Map<MessageType, MessagePlan>();
  readonly #clock: RuleClock;
  readonly #loose: Loose;

  /** `loose` hears of each rule that nobody enforces. */
  constructor(roots: readonly MessageType[], clock: RuleClock, loose: Loose) {
    this.#clock = clock;
    this.#loose = loose;
    const plans = new Map<MessageType, Draft>();
    const due = [...roots];
    for (let type = due.pop(); type !== undefined; type = due.pop()) {
      if (plans.has(type)) continue;
      const draft = this.#draftOf(type);
      plans.set(type, draft);
      due.push(...draft.fields.flatMap(({ inner }) => (inner === null ? [] : [inner])));
    }
    const asking = askingOf(plans);
    for (const type of asking) {
      const draft = plans.get(type);
      if (draft === undefined) continue;
      const fields = draft.fields.map(({ field, rules, inner }) => {
        return { field, rules, isDeep: inner !== null && asking.has(inner) };
      });
      const wanted = fields.filter(({ field, rules, isDeep }) => rules !== null || isDeep || field.isRequired);
      this.#plans.set(type, { ...draft, fields: wanted });
    }
  }

  /** Null where nothing is asked of such messages, nor of any within them. */
  planOf(type: MessageType): MessagePlan | null {
    return this.#plans.get(type) ?? null;
  }

  #draftOf(type: MessageType): Draft {
    const fields = type.fields.map((field) => {
      const rules = fieldRulesOf(field, type.name, this.#clock, this.#loose);
      const value = field.map === null ? field.value : field.map.value.value;
      const isMessage = value.kind === "message" || value.kind === "group";
      return {
        field,
        rules: rules === "ignored" ? null : rules,
        inner: isMessage && rules !== "ignored" ? value.type : null,
      };
    });
    const own = type.options.message(BUF_VALIDATE);
    if (type.options.has(OLD_VALIDATE)) this.#loose("rules of protoc-gen-validate", type.name);
    const rules =
      own === null ? [] : celRules(own, MESSAGE_CEL, { is: "message", type }, type.name, this.#clock, this.#loose);
    const oneofs = type.oneofs.filter(({ options }) => options.message(BUF_VALIDATE)?.flag(1));
    const groups = (own?.messages(4) ?? []).flatMap((group) => {
      const names = group?.texts(1) ?? [];
      const members = names.flatMap((name) => type.byName.get(name) ?? []);
      if (group === null || members.length !== names.length) {
        this.#loose("oneof rules of fields that are not there", type.name);
        return [];
      }
      return [{ names: names.join(", "), fields: members, isRequired: group.flag(2) }];
    });
    const asks =
      rules.length > 0 ||
      oneofs.length > 0 ||
      groups.length > 0 ||
      fields.some(({ rules, field }) => rules !== null || field.isRequired);
    return { fields, oneofs, groups: groups.slice(0, DEFAULTS.messageRulesMax), rules, asks };
  }
}

interface Draft {
  readonly fields: readonly (Pick<FieldPlan, "field" | "rules"> & { readonly inner: MessageType | null })[];
  readonly oneofs: readonly OneofType[];
  readonly groups: readonly FieldGroup[];
  readonly rules: readonly Rule[];
  /** Something is asked of the message itself. */
  readonly asks: boolean;
}

/** Types of which something is asked, or of one within them. */
function askingOf(drafts: ReadonlyMap<MessageType, Draft>): ReadonlySet<MessageType> {
  const users = new Map<MessageType, MessageType[]>();
  for (const [type, { fields }] of drafts) {
    for (const { inner } of fields) if (inner !== null) users.set(inner, [...(users.get(inner) ?? []), type]);
  }
  const asking = new Set<MessageType>();
  const due = [...drafts].filter(([, { asks }]) => asks).map(([type]) => type);
  for (let type = due.pop(); type !== undefined; type = due.pop()) {
    if (asking.has(type)) continue;
    asking.add(type);
    due.push(...(users.get(type) ?? []));
  }
  return asking;
}
