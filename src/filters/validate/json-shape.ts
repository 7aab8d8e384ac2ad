import { type JsonExcess, type JsonLimits, jsonExcess } from "../../bodies/json-limits.ts";
import { Denial, type Place } from "../../decision/verdict.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import type { Steps } from "../../support/turns.ts";
import type { RouteContext } from "../filter.ts";
import type { BodySettings } from "./schema.ts";

/** How large the parts of a body may be, whatever its schema says of them; looked at before it is read. */
export interface JsonShape {
  readonly limits: JsonLimits;
  readonly showsErrors: boolean;
  placeOf(word: ShapeWord): Place;
}

export const SHAPE_WORDS = ["maxDepth", "maxMembers", "maxItems", "maxStringLength", "prototypeNames"] as const;
export type ShapeWord = (typeof SHAPE_WORDS)[number];

/** Names by which a member reaches what all objects of JavaScript inherit, where it is merged into one. */
const PROTOTYPE_NAMES = ["__proto__", "constructor", "prototype"].map((name) => JSON.stringify(name));

const NONE: readonly string[] = [];

/** Null where the policy bounds nothing. */
export function shapeOf(body: BodySettings = {}, showsErrors: boolean, context: RouteContext): JsonShape | null {
  if (SHAPE_WORDS.every((word) => body[word] === undefined)) return null;
  const { maxDepth, maxMembers, maxItems, maxStringLength, prototypeNames } = body;
  const places = new Map(SHAPE_WORDS.map((word) => [word, context.place("body", word)]));
  const own = context.place("body");
  return {
    limits: {
      depthMax: maxDepth ?? DEFAULTS.jsonDepthMax,
      membersMax: maxMembers ?? DEFAULTS.jsonMembersMax,
      itemsMax: maxItems ?? Number.POSITIVE_INFINITY,
      charactersMax: maxStringLength ?? Number.POSITIVE_INFINITY,
      refusedNames: prototypeNames === "refuse" ? PROTOTYPE_NAMES : NONE,
    },
    showsErrors,
    placeOf: (word) => places.get(word) ?? own,
  };
}

const WORD_OF: Readonly<Record<JsonExcess, ShapeWord>> = {
  depth: "maxDepth",
  members: "maxMembers",
  items: "maxItems",
  characters: "maxStringLength",
  name: "prototypeNames",
};

/** Why a body is not read at all; null where it is as small as it has to be. */
export function* judgeShape(bytes: Buffer, shape: JsonShape): Steps<Denial | null> {
  const excess = yield* jsonExcess(bytes, shape.limits);
  if (excess === null) return null;
  const word = WORD_OF[excess];
  const detail = detailOf(excess, shape.limits);
  const errors = shape.showsErrors ? [{ pointer: "", keyword: word, detail }] : [];
  return new Denial("body_schema_mismatch", shape.placeOf(word), `body ${word}`, detail, [], false, [], {
    faults: [`/ ${word}`],
    errors,
  });
}

function detailOf(excess: JsonExcess, { depthMax, membersMax, itemsMax, charactersMax }: JsonLimits): string {
  switch (excess) {
    case "depth":
      return `expected at most ${depthMax} levels`;
    case "members":
      return `expected at most ${membersMax} members in one object`;
    case "items":
      return `expected at most ${itemsMax} items in one list`;
    case "characters":
      return `expected at most ${charactersMax} characters in one text`;
    case "name":
      return "expected no member of the name __proto__, constructor or prototype";
  }
}
