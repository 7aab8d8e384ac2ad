import { type CallProtocol, type CallShape, callShapeOf } from "../../../bodies/call-shape.ts";
import { MESSAGE_CODINGS, MessageInflater } from "../../../bodies/inflated-message.ts";
import { CONTINUE, Denial, type Place, type Verdict } from "../../../decision/verdict.ts";
import type { Exchange } from "../../../message/exchange.ts";
import type { MessageFaults } from "../../../protobuf/faults.ts";
import { type Found, judgeBinary, judgeJson, type MessageRules } from "../../../protobuf/message-judge.ts";
import { recordOf } from "../../../protobuf/record.ts";
import type { MessageValue, MethodType } from "../../../protobuf/types.ts";
import { excerpt } from "../../../support/excerpt.ts";
import { err, ok, type Result } from "../../../support/result.ts";
import type { Steps } from "../../../support/turns.ts";
import type { HoldRules } from "../held-body.ts";
import { isRespelled } from "../parameter-parts.ts";
import { encodingHeader } from "./shapes.ts";

/** What a route lets calls of its method be. */
export interface GrpcRules {
  readonly method: MethodType;
  readonly protocols: readonly CallProtocol[];
  readonly message: MessageRules;
  readonly messageBytesMax: number;
  readonly inflates: boolean;
  readonly ratioMax: number;
  readonly showsErrors: boolean;
  /** Whether a rule behind this one looks at members of the message. */
  readonly keepsValue: boolean;
  readonly hold: HoldRules;
  placeOf(key: string): Place;
}

const REQUEST_FLAGS_MAX = 1;

/** How one call is read: by its head. */
export interface Call {
  readonly shape: CallShape;
  /** Null where its messages are not compressed. */
  readonly coding: string | null;
}

/** Judges the head of a POST, whose media type is one of the method's. */
export function callOf(exchange: Exchange, rules: GrpcRules): Result<Call, Denial> {
  const { headers, connection } = exchange;
  const shape = callShapeOf(headers.get("content-type"));
  if (shape === null) return err(invalid(rules, "no media type of a call", "file"));
  // Whoever speaks HTTP/1.1 is no client of gRPC, and would not see that it was refused.
  if (shape.protocol === "grpc" && connection.protocol !== "h2") {
    const seen = "gRPC over HTTP/1.1";
    return err(new Denial("content_type_unsupported", rules.placeOf("protocols"), seen, "gRPC over HTTP/2"));
  }
  const name = encodingHeader(shape);
  if (isRespelled(headers, name) || headers.count(name) > 1)
    return err(uncoded(rules, `two headers ${name}, or one in another spelling`));
  const coding = headers.get(name)?.toLowerCase() ?? "identity";
  if (coding === "identity" || coding === "") return ok({ shape, coding: null });
  if (rules.inflates && MESSAGE_CODINGS.has(coding)) return ok({ shape, coding });
  return err(uncoded(rules, `${name} ${excerpt(coding)}`));
}

function uncoded(rules: GrpcRules, seen: string): Denial {
  const wanted = rules.inflates ? "gzip, deflate or identity" : "identity";
  return new Denial("content_encoding_unsupported", rules.placeOf("compression"), seen, wanted);
}

/** Whether messages may go on as others than came. */
export function mayChange({ message }: GrpcRules, { coding }: Call): boolean {
  return coding !== null || message.unknownFields === "strip";
}

/** One message that was judged: what goes on in its place, and whether that is another than came. */
export interface Judged {
  readonly message: Buffer;
  readonly isChanged: boolean;
  readonly value: MessageValue | null;
}

/** Takes note of the one message of a call, where rules behind this one look at its members. */
export function keepValue({ keepsValue }: GrpcRules, { value }: Judged, exchange: Exchange): void {
  if (keepsValue && value !== null) exchange.bodyValue = recordOf(value);
}

/** Judges the messages of one call in their order. */
export class MessageSequence {
  readonly #rules: GrpcRules;
  readonly #call: Call;
  readonly #inflater: MessageInflater | null;
  #count = 0;

  constructor(rules: GrpcRules, call: Call) {
    this.#rules = rules;
    this.#call = call;
    const { messageBytesMax, ratioMax } = rules;
    this.#inflater = call.coding === null ? null : new MessageInflater(call.coding, messageBytesMax, ratioMax);
  }

  /** Null where the prefix is one that a message of a request may have. */
  prefixFault(flags: number, bytes: number): Denial | null {
    const { method, messageBytesMax } = this.#rules;
    if (flags > REQUEST_FLAGS_MAX) return invalid(this.#rules, `flags ${flags}`, "file");
    if (flags === 1 && this.#call.coding === null)
      return invalid(this.#rules, `a compressed message without ${encodingHeader(this.#call.shape)}`, "compression");
    if (bytes > messageBytesMax) return tooLong(this.#rules, `a message of ${bytes} bytes`);
    if (++this.#count > 1 && !method.clientStreaming) return invalid(this.#rules, "more than one message", "file");
    return null;
  }

  *judge(flags: number, bytes: Buffer): Steps<Judged | Denial> {
    let message = bytes;
    if (flags === 1 && this.#inflater !== null) {
      const inflated = this.#inflater.inflate(bytes);
      if (!inflated.ok) return inflateDenial(this.#rules, inflated.error);
      message = inflated.value;
    }
    const judge = this.#call.shape.isJson ? judgeJson : judgeBinary;
    return judged(yield* judge(message, this.#rules.message), message, flags === 1, this.#rules);
  }

  /** Bytes of a message that is not whole are left. */
  endFault(openBytes: number): Verdict {
    if (openBytes > 0) return invalid(this.#rules, "a message that is cut off", "file");
    if (this.#count === 0 && !this.#rules.method.clientStreaming) return invalid(this.#rules, "no message", "file");
    return CONTINUE;
  }
}

export function judged(found: Found, message: Buffer, isInflated: boolean, rules: GrpcRules): Judged | Denial {
  const denial = foundDenial(found, rules);
  if (denial !== null) return denial;
  return { message: found.stripped ?? message, isChanged: isInflated || found.stripped !== null, value: found.value };
}

export function inflateDenial(
  rules: GrpcRules,
  fault: "content_encoding_invalid" | "body_inflates_too_much" | "body_too_large",
): Denial {
  if (fault === "body_too_large") return tooLong(rules, "a message that holds more");
  return new Denial(fault, rules.placeOf("compression"), "a compressed message", "messages as their encoding has them");
}

export function tooLong(rules: GrpcRules, seen: string): Denial {
  const wanted = `messages of at most ${rules.messageBytesMax} bytes`;
  return new Denial("body_too_large", rules.placeOf("maxMessageBytes"), seen, wanted);
}

export function invalid(rules: GrpcRules, seen: string, key: string): Denial {
  return new Denial("grpc_invalid", rules.placeOf(key), seen, `a call of ${rules.method.path.slice(1)}`);
}

/** Null where there is nothing against the message. */
function foundDenial({ faults, isMalformed }: Found, rules: GrpcRules): Denial | null {
  const [first] = faults.list;
  if (first === undefined) return null;
  const { method, showsErrors } = rules;
  const more = faults.count > 1 ? ` and ${faults.count - 1} more` : "";
  const seen = `message ${excerpt(first.pointer || "/", POINTER_SHOWN_MAX)} ${first.keyword}: ${excerpt(first.detail)}${more}`;
  const reason = isMalformed ? "grpc_invalid" : "body_schema_mismatch";
  const key = first.keyword === "unknown" ? "unknownFields" : "file";
  return new Denial(reason, rules.placeOf(key), seen, `a ${method.input.name}`, [], false, [], {
    faults: faultTexts(faults),
    errors: showsErrors ? faults.list : [],
  });
}

function faultTexts({ list }: MessageFaults): readonly string[] {
  return list.map(({ pointer, keyword }) => `${excerpt(pointer || "/", POINTER_SHOWN_MAX)} ${keyword}`);
}

const POINTER_SHOWN_MAX = 128;
