import { parseJson, parseJsonInSteps } from "../bodies/json.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { Steps } from "../support/turns.ts";
import { type Decoded, decodeMessage } from "./decode.ts";
import { MessageFaults } from "./faults.ts";
import { messageOfJson } from "./json/read.ts";
import { withoutUndeclared } from "./json/strip.ts";
import { judgeMessage } from "./rules/judge.ts";
import type { RuleBook } from "./rules/rule-book.ts";
import { withoutUnknown } from "./strip.ts";
import type { MessageType, MessageValue } from "./types.ts";

/** What becomes of fields that the type does not have. */
export type UnknownFields = "refuse" | "strip" | "pass";

/** What is found of one message. */
export interface Found {
  /** It is no message of its type, or none that every reader reads alike. */
  readonly isMalformed: boolean;
  /** Empty where it is as the descriptor asks. */
  readonly faults: MessageFaults;
  /** What goes on in its place; null for the bytes that came. */
  readonly stripped: Buffer | null;
  readonly value: MessageValue | null;
}

/** What messages of one method have to be. `book`: null where no rules are asked for. */
export interface MessageRules {
  readonly type: MessageType;
  readonly book: RuleBook | null;
  readonly unknownFields: UnknownFields;
}

/** One message in the binary format. */
export function* judgeBinary(bytes: Buffer, rules: MessageRules): Steps<Found> {
  const decoded = yield* decodeMessage(bytes, rules.type);
  return yield* judgeDecoded(decoded, rules, () => withoutUnknown(bytes, rules.type));
}

/** One message in the JSON of proto3. */
export function* judgeJson(bytes: Buffer, rules: MessageRules): Steps<Found> {
  const isLong = bytes.length > DEFAULTS.bodyAtOnceBytesMax;
  const parsed = isLong ? yield* parseJsonInSteps(bytes) : parseJson(bytes);
  if (!parsed.ok) {
    const faults = new MessageFaults();
    faults.add("", "protobuf", `no JSON: ${parsed.error}`);
    return { isMalformed: true, faults, stripped: null, value: null };
  }
  const decoded = yield* messageOfJson(parsed.value, rules.type);
  return yield* judgeDecoded(decoded, rules, () => withoutUndeclared(bytes, parsed.value, decoded.undeclared));
}

function* judgeDecoded(decoded: Decoded, rules: MessageRules, strip: () => Steps<Buffer>): Steps<Found> {
  const { value, faults, unknown } = decoded;
  if (value === null) return { isMalformed: true, faults, stripped: null, value };
  const found = faultsOf(decoded, rules.unknownFields);
  if (rules.book !== null && found.count === 0) yield* judgeMessage(value, rules.book, found);
  const isStripped = rules.unknownFields === "strip" && unknown.count > 0 && found.count === 0;
  return { isMalformed: false, faults: found, stripped: isStripped ? yield* strip() : null, value };
}

/** A number that a closed enum does not have stands for a choice: to cut it out would make another of it. */
function faultsOf({ unknown, unknownValues }: Decoded, unknownFields: UnknownFields): MessageFaults {
  const faults = new MessageFaults();
  if (unknownFields === "pass") return faults;
  const told = unknownFields === "refuse" ? [unknown, unknownValues] : [unknownValues];
  for (const { list, count } of told) {
    for (const { pointer, keyword, detail } of list) faults.add(pointer, keyword, detail);
    faults.count += count - list.length;
  }
  return faults;
}
