import type { Place } from "../seclang/directive.ts";
import { hasOwnOperator, paranoiaOf } from "./compile-rule.ts";
import type { DraftRule, LeftOut } from "./draft.ts";
import { HELD_BY_CODEC } from "./held-by-codec.ts";
import type { RuleFault } from "./pattern-ids.ts";

/** What becomes of a rule. */
export interface RuleListing extends Place {
  readonly id: number;
  readonly phase: number;
  /** 0 where it belongs to no level. */
  readonly paranoia: number;
  /**
   * `runs`: on each request. `setup`: decided at load. `off`: the setup leaves it out, as a paranoia level does. `held`: postern
   * refuses what it looks for before any rule. `removed`: a directive of the files takes it out. `left`: read, and not done.
   */
  readonly status: "runs" | "setup" | "off" | "held" | "removed" | "left";
  /** Why it does not run, or which of its actions are not done; "" where there is nothing to say. */
  readonly reason: string;
}

/** A rule that is read, and what the setup made of it. */
export function listingOf(rule: DraftRule, decided: string | undefined, fault: RuleFault | undefined): RuleListing {
  const [{ actions, place }] = rule.links;
  const { id, tags } = actions;
  const paranoia = paranoiaOf(tags);
  const row = { ...place, id, phase: rule.phase, paranoia };
  if (decided !== undefined) return { ...row, status: decided.includes("skips it") ? "off" : "setup", reason: decided };
  const held = HELD_BY_CODEC.get(id);
  if (held !== undefined) return { ...row, status: "held", reason: `held by the codec: ${held}` };
  if (fault !== undefined) return { ...row, status: "left", reason: fault.message };
  const left = rule.links.flatMap((link) => link.actions.left);
  const notes = hasOwnOperator(rule) ? ["by an operator of our own, for its pattern refers back"] : [];
  if (left.length > 0) notes.push(`without ${[...new Set(left)].join("; ")}`);
  if (rule.links.some(seesRawBodyAlone)) notes.push(RAW_BODY_ALONE);
  return { ...row, status: "runs", reason: notes.join("; ") };
}

const RAW_BODY_ALONE =
  "REQUEST_BODY has no JSON, XML or multipart body; add ARGS and XML:/*, which have what is in them";

function seesRawBodyAlone({ variables }: DraftRule["links"][0]): boolean {
  return variables.length > 0 && variables.every(({ collection }) => collection === "REQUEST_BODY");
}

/** It runs, and has not all that it asks for. */
export function seesLess({ reason }: RuleListing): boolean {
  return reason.includes(RAW_BODY_ALONE);
}

export function listingOfLeft({ id, place, phase, tags, reason, isRemoved }: LeftOut): RuleListing {
  return { ...place, id, phase, paranoia: paranoiaOf(tags), status: isRemoved ? "removed" : "left", reason };
}
