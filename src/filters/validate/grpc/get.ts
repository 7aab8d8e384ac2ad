import { parseForm } from "../../../bodies/form.ts";
import { DeclaredNames } from "../../../bodies/names.ts";
import { CONTINUE, Denial, type Verdict } from "../../../decision/verdict.ts";
import type { Exchange } from "../../../message/exchange.ts";
import { judgeBinary, judgeJson } from "../../../protobuf/message-judge.ts";
import { excerpt } from "../../../support/excerpt.ts";
import { atOnce } from "../../../support/turns.ts";
import { type GrpcRules, invalid, judged, keepValue, tooLong } from "./rules.ts";

/** Parameters of a call by GET (connectrpc.com/docs/protocol, Unary-Get-Request). */
const NAMES = ["message", "encoding", "base64", "compression", "connect"] as const;
const DECLARED = new DeclaredNames(NAMES);
/** Of the alphabet for URLs, padded or not. */
const BASE64_URL = /^[A-Za-z0-9_-]*={0,2}$/;

/**
 * A call by GET, whose message stands in the query. Nothing is changed there: what would be stripped is refused, and so is
 * what is compressed.
 */
export function judgeGet(exchange: Exchange, rules: GrpcRules): Verdict {
  const { target, body } = exchange;
  if (body.announcedBytes !== 0) return invalid(rules, "a body beside the query", "protocols");
  const parsed = parseForm(target.query.slice(1), DECLARED);
  if (!parsed.ok) return invalid(rules, excerpt(parsed.error), "protocols");
  const values = parsed.value;
  const twice = NAMES.find((name) => (values.get(name)?.length ?? 0) > 1);
  if (twice !== undefined) return invalid(rules, `parameter '${twice}' twice`, "protocols");
  const [text, encoding, base64, compression] = NAMES.map((name) => values.get(name)?.[0]);
  if (encoding !== "json" && encoding !== "proto") return invalid(rules, "an encoding that is none", "protocols");
  if (compression !== undefined && compression !== "" && compression !== "identity")
    return new Denial(
      "content_encoding_unsupported",
      rules.placeOf("compression"),
      `compression ${excerpt(compression)}`,
      "identity",
    );
  if (base64 !== undefined && base64 !== "1") return invalid(rules, "base64 that is not 1", "protocols");
  const message = base64 === "1" ? decoded(text ?? "") : Buffer.from(text ?? "", "utf8");
  if (message === null) return invalid(rules, "a message that is not base64", "protocols");
  if (message.length > rules.messageBytesMax) return tooLong(rules, `a message of ${message.length} bytes`);
  const { unknownFields } = rules.message;
  const asked = { ...rules.message, unknownFields: unknownFields === "strip" ? ("refuse" as const) : unknownFields };
  // A query is short.
  const seen = atOnce(encoding === "json" ? judgeJson(message, asked) : judgeBinary(message, asked));
  const found = judged(seen, message, false, rules);
  if (found instanceof Denial) return found;
  keepValue(rules, found, exchange);
  return CONTINUE;
}

function decoded(text: string): Buffer | null {
  const plain = text.replace(/=+$/, "");
  const isPadded = plain.length !== text.length;
  if (!BASE64_URL.test(text) || plain.length % 4 === 1 || (isPadded && text.length % 4 !== 0)) return null;
  return Buffer.from(plain, "base64url");
}
