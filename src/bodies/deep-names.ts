import { err, ok, type Result } from "../support/result.ts";
import { stepsInto } from "./names.ts";
import { SENT_TWICE } from "./parameter-styles.ts";

/** Texts in the shape of lists and objects; what type they are, a schema says. */
export type DeepTexts = string | readonly DeepTexts[] | ReadonlyMap<string, DeepTexts>;

/** qs leaves what is deeper in one piece, as a name. */
const STEPS_MAX = 5;
const NUMBER = /^\d+$/;

/** A text, or what lies behind its steps; `isAppended`: items without numbers. */
interface Node {
  text: string | null;
  isAppended: boolean;
  readonly members: Map<string, Node>;
}

function node(text: string | null = null): Node {
  return { text, isAppended: false, members: new Map() };
}

/**
 * Names with steps, and their texts, as one value: `items[0][name]=a&items[0][count]=2&items[1][name]=b`, and `tags[]=a`
 * for a list of texts. The error is what services read in several ways. Null where there are none.
 */
export function readDeep(sent: Iterable<readonly [string, readonly string[]]>): Result<DeepTexts | null, string> {
  const root = node();
  let isThere = false;
  for (const [name, texts] of sent) {
    const steps = stepsInto(name)?.[1] ?? [];
    isThere ||= texts.length > 0;
    const fault = add(root, steps, texts);
    if (fault !== null) return err(fault);
  }
  return isThere ? deepTexts(root) : ok(null);
}

function add(root: Node, steps: readonly string[], texts: readonly string[]): string | null {
  if (steps.length > STEPS_MAX) return `more than ${STEPS_MAX} steps`;
  let at = root;
  for (const [index, step] of steps.entries()) {
    // Some begin another item with each `items[][name]`, some only where the name comes again.
    if (step === "" && index < steps.length - 1) return "members of an item without a number";
    if (step.includes(".")) return "a dot in a step";
    if (step === "") return addItems(at, texts);
    if (at.isAppended) return MIXED;
    const next = at.members.get(step) ?? node();
    at.members.set(step, next);
    at = next;
  }
  if (texts.length > 1 || at.text !== null) return SENT_TWICE;
  at.text = texts[0] ?? null;
  return null;
}

function addItems(list: Node, texts: readonly string[]): string | null {
  if (list.members.size > 0) return MIXED;
  list.isAppended = true;
  for (const [at, text] of texts.entries()) list.members.set(String(at), node(text));
  return null;
}

const MIXED = "items both with and without a number";

function deepTexts({ text, members }: Node): Result<DeepTexts, string> {
  if (members.size === 0) return ok(text ?? "");
  if (text !== null) return err("a text and members at once");
  const names = [...members.keys()];
  const isList = names.every((name) => NUMBER.test(name));
  if (isList && names.some((name, at) => name !== String(at))) return err("items out of their order");
  if (!isList && names.some((name) => NUMBER.test(name))) return err("items and members at once");
  const found: [string, DeepTexts][] = [];
  for (const [name, member] of members) {
    const inner = deepTexts(member);
    if (!inner.ok) return inner;
    found.push([name, inner.value]);
  }
  return ok(isList ? found.map(([, inner]) => inner) : new Map(found));
}
