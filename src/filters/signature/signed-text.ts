import type { Exchange } from "../../message/exchange.ts";
import { askedOf } from "../../proof/asked.ts";
import { err, ok, type Result } from "../../support/result.ts";

/** One part of what is signed: text of the policy, or something of the request. */
type Part = { readonly text: string } | { readonly name: string; readonly header: string | null };

const PLACEHOLDER = /\{(body|timestamp|method|target|host|header:([!#$%&'*+\-.^_`|~0-9A-Za-z]+))\}/g;

/** What a signature is over, as `signs` of a policy says. */
export class SignedText {
  /** Headers that it covers, lower case. */
  readonly headers: readonly string[];
  readonly #parts: readonly Part[];

  constructor(parts: readonly Part[]) {
    this.#parts = parts;
    this.headers = parts.flatMap((part) => ("header" in part && part.header !== null ? [part.header] : []));
  }

  has(name: string): boolean {
    return this.#parts.some((part) => "name" in part && part.name === name);
  }

  /** The bytes that are signed; the body is not copied. Null where a header that it covers is not there, or twice. */
  bytesOf(exchange: Exchange, timestamp: string, body: Buffer): readonly Buffer[] | null {
    const pieces: Buffer[] = [];
    for (const part of this.#parts) {
      const piece = "text" in part ? part.text : requestValue(part.name, part.header, exchange, timestamp);
      if (piece === null) return null;
      pieces.push("name" in part && part.name === "body" ? body : Buffer.from(piece, "latin1"));
    }
    return pieces;
  }
}

function requestValue(name: string, header: string | null, exchange: Exchange, timestamp: string): string | null {
  if (header !== null) return exchange.headers.count(header) === 1 ? (exchange.headers.get(header) ?? null) : null;
  switch (name) {
    case "timestamp":
      return timestamp;
    case "method":
      return exchange.method;
    case "target":
      return exchange.receivedTarget;
    case "host":
      return askedOf(exchange).authority;
    default:
      return "";
  }
}

/** Template → what it signs, or what is wrong with it. */
export function readSigns(template: string, hasTimestamp: boolean): Result<SignedText, string> {
  const parts: Part[] = [];
  let at = 0;
  for (const match of template.matchAll(PLACEHOLDER)) {
    if (match.index > at) parts.push({ text: template.slice(at, match.index) });
    parts.push({ name: match[1] ?? "", header: match[2]?.toLowerCase() ?? null });
    at = match.index + match[0].length;
  }
  if (at < template.length) parts.push({ text: template.slice(at) });
  const stray = parts.find((part) => "text" in part && /[{}]/.test(part.text));
  if (stray !== undefined) {
    return err(
      "a placeholder that does not exist; expected {body}, {timestamp}, {method}, {target}, {host}, {header:NAME}",
    );
  }
  if (parts.some((part) => "text" in part && !/^[\x20-\x7e\n]*$/.test(part.text)))
    return err("expected visible ASCII and line feeds");
  const signed = new SignedText(parts);
  if (!signed.has("body")) return err("the body is not signed, so that anybody could change it; expected {body}");
  if (hasTimestamp && !signed.has("timestamp")) {
    return err("the time is not signed, so that anybody could change it; expected {timestamp}");
  }
  if (!hasTimestamp && signed.has("timestamp")) return err("{timestamp} stands nowhere; expected 'timestamp'");
  return ok(signed);
}
