import { type DescMessage, fromBinary, toBinary, toJsonString } from "@bufbuild/protobuf";
import { parseJson } from "../../src/bodies/json.ts";
import { decodeMessage } from "../../src/protobuf/decode.ts";
import { messageOfJson } from "../../src/protobuf/json/read.ts";
import { withoutUnknown } from "../../src/protobuf/strip.ts";
import type { MessageType, MessageValue } from "../../src/protobuf/types.ts";
import { atOnce } from "../../src/support/turns.ts";
import { apiOf, type FileText, fileRegistry, messageIn } from "../fixtures/descriptors.ts";
import { caseSeed, Random } from "./random.ts";

export interface ProtobufTally {
  documents: number;
  readonly outcomes: Map<string, number>;
  readonly disagreements: {
    readonly index: number;
    readonly text: string;
    readonly ours: string;
    readonly theirs: string;
  }[];
}

export interface ProtobufCampaign {
  readonly seed: number;
  readonly documentsMax: number;
  goesOn(): boolean;
}

const TEXT: FileText = {
  messages: {
    Subject: {
      a: ["int32", 1],
      b: ["string", 2],
      c: ["Subject", 3],
      d: ["repeated sint64", 4],
      e: ["map string uint32", 5],
      f: ["oneof one bool", 6],
      g: ["oneof one Subject", 7],
      h: ["optional fixed64", 8],
      i: ["repeated Subject", 9],
      j: ["bytes", 10],
      k: ["double", 11],
      l: ["Color", 12],
      m: ["repeated float", 13],
      n: ["map int32 Subject", 14],
      o: ["sfixed32", 15],
      p: ["repeated string", 16],
    },
  },
  enums: { Color: { COLOR_NONE: 0, COLOR_RED: 1 } },
  services: { Service: { Call: "Subject Subject" } },
};
const schema: DescMessage = messageIn(fileRegistry(TEXT), "test.v1.Subject");
const DISAGREEMENTS_MAX = 20;

function inputType(): MessageType {
  const method = apiOf(TEXT).services.get("test.v1.Service")?.methods[0];
  if (method === undefined) throw new Error("no method");
  return method.input;
}
const type = inputType();

/**
 * Random bytes that resemble a message, read by ours and by @bufbuild/protobuf: what ours takes, theirs takes and writes as
 * bytes that ours reads as the same; its JSON is the same message; and what is stripped is what theirs writes without unknown
 * fields.
 */
export function runProtobufCampaign({ seed, documentsMax, goesOn }: ProtobufCampaign): ProtobufTally {
  const tally: ProtobufTally = { documents: 0, outcomes: new Map(), disagreements: [] };
  for (let index = 0; index < documentsMax && goesOn(); index++) {
    const bytes = new MessageGrammar(new Random(caseSeed(seed, index))).message(0);
    tally.documents++;
    const { outcome, ours, theirs } = compare(bytes);
    tally.outcomes.set(outcome, (tally.outcomes.get(outcome) ?? 0) + 1);
    if (ours !== theirs) tally.disagreements.push({ index, text: bytes.toString("hex"), ours, theirs });
    if (tally.disagreements.length >= DISAGREEMENTS_MAX) break;
  }
  return tally;
}

function compare(bytes: Buffer): { readonly outcome: string; readonly ours: string; readonly theirs: string } {
  const ours = atOnce(decodeMessage(bytes, type));
  if (ours.value === null) return { outcome: `ours refuses: ${ours.faults.list[0]?.detail}`, ours: "", theirs: "" };
  const outcome = ours.unknown.count > 0 ? "both accept, with unknown fields" : "both accept";
  const own = shown(ours.value);
  try {
    const message = fromBinary(schema, bytes);
    const known = Buffer.from(toBinary(schema, message, { writeUnknownFields: false }));
    const again = shown(atOnce(decodeMessage(known, type)).value);
    const stripped = Buffer.from(atOnce(withoutUnknown(bytes, type)));
    const strippedTheirs = fromBinary(schema, stripped, { readUnknownFields: true });
    const left = atOnce(decodeMessage(stripped, type));
    if (left.unknown.count > 0 || shown(left.value) !== own)
      return { outcome, ours: "what is stripped is another", theirs: own };
    const canonical = Buffer.from(toBinary(schema, strippedTheirs)).equals(known);
    if (!canonical) return { outcome, ours: "what is stripped is another to them", theirs: own };
    const parsed = parseJson(Buffer.from(toJsonString(schema, message)));
    const json = parsed.ok ? shown(atOnce(messageOfJson(parsed.value, type)).value) : `no JSON: ${parsed.error}`;
    return { outcome, ours: own, theirs: again === json ? again : `${again} but as JSON ${json}` };
  } catch (error) {
    return { outcome, ours: own, theirs: String(error) };
  }
}

/** A message as text, without what is zero and has no presence. */
function shown(message: MessageValue | null): string {
  if (message === null) return "none";
  const parts = [...message.fields]
    .sort(([a], [b]) => a - b)
    .flatMap(([number, value]) => {
      const field = message.type.byNumber.get(number);
      const text = shownValue(value);
      const isNothing = ["0", "0n", "", "false", "[]", "{}"].includes(text);
      return isNothing && field?.hasPresence !== true ? [] : [`${number}=${text}`];
    });
  return `(${parts.join(" ")})`;
}

function shownValue(value: unknown): string {
  if (Buffer.isBuffer(value)) return value.toString("hex");
  if (Array.isArray(value)) return `[${value.map(shownValue).join(",")}]`;
  if (value instanceof Map)
    return `{${[...value]
      .map(([key, one]) => `${String(key)}:${shownValue(one)}`)
      .sort()
      .join(",")}}`;
  if (typeof value === "object" && value !== null && "fields" in value) return shown(value as MessageValue);
  if (typeof value === "bigint") return `${value}n`;
  // Their JSON has no minus zero.
  return String(value);
}

/** Messages that are mostly right, and wrong in one place now and then. */
class MessageGrammar {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  message(depth: number): Buffer {
    const parts: Buffer[] = [];
    const count = this.#random.below(depth > 3 ? 2 : 5);
    for (let at = 0; at < count; at++) parts.push(this.#field(depth));
    return Buffer.concat(parts);
  }

  #field(depth: number): Buffer {
    const random = this.#random;
    if (random.chance(0.02)) return Buffer.from(Array.from({ length: 1 + random.below(4) }, () => random.below(256)));
    const number = random.chance(0.1) ? 17 + random.below(40) : 1 + random.below(16);
    const field = random.chance(0.05) ? undefined : type.byNumber.get(number);
    const kind = field?.value.kind;
    switch (kind) {
      case "message":
        return this.#sized(number, field?.map == null ? this.message(depth + 1) : this.#entry(number, depth));
      case "string":
        return this.#sized(
          number,
          Buffer.from(random.pick(["", "a", "naïve", "😀", "\0", "\xff"]), random.chance(0.05) ? "latin1" : "utf8"),
        );
      case "bytes":
        return this.#sized(number, Buffer.from(Array.from({ length: random.below(4) }, () => random.below(256))));
      case "double":
      case "fixed64":
        return Buffer.concat([this.#tag(number, 1), this.#bytes(8)]);
      case "float":
      case "sfixed32":
        return field?.isRepeated && random.chance(0.5)
          ? this.#sized(number, this.#bytes(4 * random.below(3)))
          : Buffer.concat([this.#tag(number, 5), this.#bytes(4)]);
      case undefined:
        return this.#anything(number, depth);
      default:
        return field?.isRepeated && random.chance(0.5)
          ? this.#sized(number, Buffer.concat(Array.from({ length: random.below(4) }, () => this.#varint())))
          : Buffer.concat([this.#tag(number, 0), kind === "bool" ? Buffer.from([random.below(2)]) : this.#varint()]);
    }
  }

  #anything(number: number, depth: number): Buffer {
    switch (this.#random.below(5)) {
      case 0:
        return Buffer.concat([this.#tag(number, 0), this.#varint()]);
      case 1:
        return Buffer.concat([this.#tag(number, 1), this.#bytes(8)]);
      case 2:
        return Buffer.concat([this.#tag(number, 5), this.#bytes(4)]);
      case 3:
        return Buffer.concat([this.#tag(number, 3), this.message(depth + 1), this.#tag(number, 4)]);
      default:
        return this.#sized(number, this.message(depth + 1));
    }
  }

  #entry(number: number, depth: number): Buffer {
    const random = this.#random;
    const key =
      number === 5
        ? this.#sized(1, Buffer.from(random.pick(["", "a", "b"])))
        : Buffer.concat([this.#tag(1, 0), this.#varint()]);
    const value =
      number === 5 ? Buffer.concat([this.#tag(2, 0), this.#varint()]) : this.#sized(2, this.message(depth + 1));
    return Buffer.concat([random.chance(0.9) ? key : Buffer.alloc(0), random.chance(0.9) ? value : Buffer.alloc(0)]);
  }

  #sized(number: number, content: Buffer): Buffer {
    const wrong = this.#random.chance(0.01) ? 1 : 0;
    return Buffer.concat([this.#tag(number, 2), written(BigInt(content.length + wrong)), content]);
  }

  #tag(number: number, wire: number): Buffer {
    return written(BigInt(number * 8 + wire));
  }

  #bytes(count: number): Buffer {
    return Buffer.from(Array.from({ length: count }, () => this.#random.pick([0, 1, 0x3f, 0x7f, 0x80, 0xff])));
  }

  #varint(): Buffer {
    const random = this.#random;
    const value = random.pick([
      0n,
      1n,
      5n,
      127n,
      128n,
      300n,
      2n ** 31n - 1n,
      2n ** 31n,
      2n ** 32n - 1n,
      2n ** 64n - 1n,
    ]);
    const bytes = written(value);
    // Longer than it need be, as some writers have it.
    if (!random.chance(0.05) || bytes.length > 8) return bytes;
    const last = bytes.length - 1;
    return Buffer.concat([bytes.subarray(0, last), Buffer.from([(bytes[last] ?? 0) | 0x80, 0])]);
  }
}

function written(value: bigint): Buffer {
  const bytes: number[] = [];
  let left = value;
  for (; left >= 0x80n; left >>= 7n) bytes.push(Number(left & 0x7fn) | 0x80);
  bytes.push(Number(left));
  return Buffer.from(bytes);
}
