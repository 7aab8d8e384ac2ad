import { JsonNumber } from "../../bodies/json-number.ts";
import type { Rule, Subschema } from "../subschema.ts";
import { Canonical, type Texts } from "./canonical.ts";
import type { Complaint } from "./faults.ts";
import { Kept } from "./kept.ts";
import type { Check } from "./run.ts";

/** `enum` and `const`: equal is what JSON means by it, 1 and 1.0, and objects whatever the order of their members. */
export function valueChecks({ values }: Subschema): Check[] {
  return values.map(({ keyword, list, site }) => {
    const complaint: Complaint = { keyword, detail: detailOf(list), site };
    const plain = new Set(list.filter((value) => !isContainer(value)));
    const texts = new Set(list.filter(isContainer).map((value) => canonicalText(value)));
    if (texts.size === 0) return (value, run) => plain.has(value) || run.fail(complaint);
    const charsMax = Math.max(...[...texts].map((text) => text.length));
    return (value, run) => {
      // A longer value is none of these, which shows before it has been written out.
      const fits = isContainer(value)
        ? texts.has(new Canonical(noStep, null, charsMax).textOf(value) ?? "")
        : plain.has(value);
      return fits || run.fail(complaint);
    };
  });
}

const noStep = (): void => {};

function canonicalText(value: unknown): string {
  return new Canonical(noStep, null).textOf(value) ?? "";
}

function isContainer(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

const SHOWN_MAX = 128;

/** The values are the schema's, and no secret; long lists are cut. */
function detailOf(list: readonly unknown[]): string {
  const shown = list.map((value) => (value instanceof JsonNumber ? value.text : JSON.stringify(value)));
  const text = shown.length === 1 ? `expected ${shown[0]}` : `expected one of ${shown.join(", ")}`;
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
}

const SHORT_ITEMS = 64;

/** Items that were seen, while a long list is gone through. */
interface Seen {
  readonly plain: Set<unknown>;
  readonly containers: Set<string>;
  readonly texts: Texts;
  at: number;
  isUnique: boolean | null;
}

/** `uniqueItems`: each item against a set of those before it, not against each of them. */
export function uniqueCheck({ site }: Rule<true>): Check<readonly unknown[]> {
  const complaint: Complaint = { keyword: "uniqueItems", detail: "expected no item twice", site };
  const kept = new Kept<readonly unknown[], Seen>();
  return (items, run) => {
    if (items.length < 2) return true;
    const known = run.isLong ? kept.find(run, items) : undefined;
    const seen = known ?? newSeen();
    if (!run.isLong) seen.isUnique = addAll(items, seen, noStep);
    else if (seen.isUnique === null) {
      // A short list whose turn did not end in the middle is gone through again where somebody asks.
      if (known === undefined && items.length > SHORT_ITEMS) kept.keep(run, run.scope, items, seen);
      try {
        seen.isUnique = addAll(items, seen, () => run.progress());
      } catch (error) {
        kept.keep(run, run.scope, items, seen);
        throw error;
      }
    }
    return seen.isUnique || run.fail(complaint);
  };
}

function newSeen(): Seen {
  return { plain: new Set(), containers: new Set(), texts: new Map(), at: 0, isUnique: null };
}

/** False at the first item that was there before; goes on from `seen.at`. */
function addAll(items: readonly unknown[], seen: Seen, step: () => void): boolean {
  for (; seen.at < items.length; seen.at++) {
    const item = items[seen.at];
    const isText = isContainer(item);
    const key = isText ? (new Canonical(step, seen.texts).textOf(item) ?? "") : item;
    if (!isText) step();
    const set: Set<unknown> = isText ? seen.containers : seen.plain;
    if (set.has(key)) return false;
    set.add(key);
  }
  return true;
}
