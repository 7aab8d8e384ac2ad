import { HeadFault, isValidHost, withoutEmptyPort } from "../http1/head.ts";
import { CHUNKED } from "../message/body.ts";
import { HeaderBlock, NO_HEADERS } from "../message/headers.ts";
import { neverHasBody } from "../message/method.ts";
import { isRespelled } from "../message/reserved-names.ts";
import { DEFAULTS } from "../support/defaults.ts";

/** The head of one request, read from its HTTP/2 fields: one valid reading, nothing judged yet. */
export interface RequestFields {
  readonly method: string;
  /** `:path` as received. */
  readonly target: string;
  readonly authority: string;
  /** Without pseudo-header fields; Host first, as an HTTP/1.1 request would have it. */
  readonly headers: HeaderBlock;
  /** Content-Length; CHUNKED where the body's length is not told; 0 for none. */
  readonly bodyBytes: number;
  readonly expectContinue: boolean;
  /** True for `:protocol websocket` (RFC 8441), whose CONNECT is a GET here: what follows is no body. */
  readonly upgrade: boolean;
  /** Bytes of the fields as HTTP/1.1 would write them. */
  readonly bytes: number;
}

export interface FieldLimits {
  readonly headBytesMax: number;
  readonly headersCountMax: number;
}

/** What the connection says of the heads that come on it. */
export interface Carrier {
  /** TLS protects it. */
  readonly secure: boolean;
  /** The peer is a trusted proxy, which may have ended the client's TLS. */
  readonly anyScheme: boolean;
  /** A Unix socket, whose path gRPC clients write as `:authority`. */
  readonly unix: boolean;
}

const METHOD = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,32}$/;
const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const VALUE = /^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/;
const CONTENT_LENGTH = /^(?:0|[1-9]\d{0,14})$/;

/** Fields of one connection, of which a message that may pass several has none (RFC 9113 section 8.2.2). */
export const CONNECTION_SPECIFIC: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);

/**
 * Reads requests' fields (RFC 9113 sections 8.2 and 8.3); one per connection, for it remembers the last ones.
 */
export class FieldReader {
  readonly #limits: FieldLimits;
  readonly #carrier: Carrier;
  #lastRaw: readonly string[] = [];
  #last: RequestFields | null = null;
  #pathAt = 0;

  constructor(limits: FieldLimits, carrier: Carrier) {
    this.#limits = limits;
    this.#carrier = carrier;
  }

  /** `raw`: names and values in turn, as received. `endStream`: no body follows. */
  read(raw: readonly string[], endStream: boolean): RequestFields | HeadFault {
    const last = this.#last;
    if (last !== null && endStream && this.#sameButPath(raw)) {
      const target = raw[this.#pathAt] ?? "";
      return target === last.target ? last : { ...last, target };
    }
    const read = this.#readAll(raw, endStream);
    if (read instanceof HeadFault) return read.with(fieldsOfRefused(raw));
    if (!endStream || read.bytes > DEFAULTS.headRememberedBytesMax) return read;
    if (read.target !== "") {
      this.#lastRaw = raw;
      this.#last = read;
      this.#pathAt = raw.indexOf(":path") + 1;
    }
    return read;
  }

  /** Clients repeat themselves: all but the path is nearly always what it was before. */
  #sameButPath(raw: readonly string[]): boolean {
    const lastRaw = this.#lastRaw;
    if (raw.length !== lastRaw.length) return false;
    for (let at = 0; at < raw.length; at++) {
      if (raw[at] !== lastRaw[at] && at !== this.#pathAt) return false;
    }
    const length = raw[this.#pathAt]?.length ?? 0;
    return length > 0 && length <= (this.#last?.target.length ?? 0);
  }

  #readAll(raw: readonly string[], endStream: boolean): RequestFields | HeadFault {
    const pseudo = readPseudo(raw);
    if (pseudo instanceof HeadFault) return pseudo;
    const regular = this.#readRegular(raw, pseudo.count);
    if (regular instanceof HeadFault) return regular;
    const bytes = regular.bytes + pseudo.method.length + pseudo.path.length;
    if (bytes > this.#limits.headBytesMax) return tooLarge(this.#limits.headBytesMax);
    if (!METHOD.test(pseudo.method)) return malformed("method that is no token");
    if (pseudo.method === "PRI") return malformed("method PRI");
    if (pseudo.protocol !== null && pseudo.method !== "CONNECT") return malformed(":protocol without CONNECT");
    if (pseudo.protocol !== null && endStream) return malformed(":protocol with nothing to follow");
    if (pseudo.protocol !== null && pseudo.protocol !== "websocket") {
      return new HeadFault("upgrade_refused", ":protocol other than websocket");
    }
    const isUpgrade = pseudo.protocol !== null;
    if (isUpgrade || pseudo.method !== "CONNECT") {
      if (!this.#fitsScheme(pseudo.scheme)) return malformed(":scheme that is not the connection's");
      if (pseudo.path === "") return malformed("empty :path");
    }
    const authority = this.#authorityOf(pseudo.authority === "" ? regular.host : pseudo.authority);
    if (authority === null) return new HeadFault("host_invalid", "no valid :authority");
    if (regular.host !== "" && withoutEmptyPort(regular.host).toLowerCase() !== authority.toLowerCase()) {
      return new HeadFault("host_invalid", "Host other than :authority");
    }
    const { contentLength } = regular;
    if (endStream && contentLength > 0) return malformed("content-length without a body");
    if (contentLength > 0 && neverHasBody(pseudo.method)) return malformed(`body in a ${pseudo.method} request`);
    if (authority !== "") {
      regular.names.unshift("host");
      regular.values.unshift(authority);
    }
    if (isUpgrade && contentLength >= 0) return malformed("content-length of a tunnel");
    if (isUpgrade && pseudo.authority === "") return malformed("tunnel without :authority");
    return {
      method: isUpgrade ? "GET" : pseudo.method,
      target: pseudo.path,
      authority,
      headers: new HeaderBlock(regular.names, regular.values),
      upgrade: isUpgrade,
      bodyBytes: endStream || isUpgrade ? 0 : contentLength < 0 ? CHUNKED : contentLength,
      expectContinue: regular.expectContinue,
      bytes,
    };
  }

  #fitsScheme(scheme: string): boolean {
    if (this.#carrier.anyScheme && (scheme === "http" || scheme === "https")) return true;
    return scheme === (this.#carrier.secure ? "https" : "http");
  }

  /** As it is written anew; empty for none, null where it is neither. */
  #authorityOf(received: string): string | null {
    const authority = withoutEmptyPort(received);
    if (isValidHost(authority)) return authority;
    return this.#carrier.unix ? "" : null;
  }

  #readRegular(raw: readonly string[], from: number): Regular | HeadFault {
    const regular: Regular = {
      names: [],
      values: [],
      host: "",
      contentLength: -1,
      expectContinue: false,
      bytes: 0,
    };
    let cookieAt = -1;
    let count = 0;
    for (let at = from; at + 1 < raw.length; at += 2) {
      const name = raw[at] ?? "";
      const value = raw[at + 1] ?? "";
      regular.bytes += name.length + value.length + 4;
      // Browsers cut the one header into crumbs, which HTTP/1.1 does not know (RFC 9113 section 8.2.3).
      const isCrumb = name === "cookie" && cookieAt >= 0;
      if (!isCrumb) count++;
      if (count > this.#limits.headersCountMax) {
        return new HeadFault("headers_too_many", `more than ${this.#limits.headersCountMax} fields`);
      }
      if (regular.bytes > this.#limits.headBytesMax) return tooLarge(this.#limits.headBytesMax);
      if (!NAME.test(name) || !VALUE.test(value)) return malformed("field with an invalid name or value");
      if (isCrumb) {
        regular.values[cookieAt] = `${regular.values[cookieAt]}; ${value}`;
        continue;
      }
      if (isRespelled(name)) return malformed("another spelling of a reserved field's name");
      const fault = SPECIAL.has(name) ? readSpecial(regular, name, value) : null;
      if (fault !== null) return fault;
      if (name === "host") continue;
      if (name === "cookie") cookieAt = regular.names.length;
      regular.names.push(name);
      regular.values.push(value);
    }
    return regular;
  }
}

interface Pseudo {
  method: string;
  scheme: string;
  authority: string;
  path: string;
  /** Null where there is none. */
  protocol: string | null;
  /** Where the regular fields begin. */
  count: number;
}

interface Regular {
  readonly names: string[];
  readonly values: string[];
  host: string;
  contentLength: number;
  expectContinue: boolean;
  bytes: number;
}

function readPseudo(raw: readonly string[]): Pseudo | HeadFault {
  const pseudo: Pseudo = { method: "", scheme: "", authority: "", path: "", protocol: null, count: 0 };
  let seen = 0;
  let at = 0;
  for (; at + 1 < raw.length; at += 2) {
    const name = raw[at] ?? "";
    if (name.charCodeAt(0) !== COLON) break;
    const value = raw[at + 1] ?? "";
    const bit = PSEUDO_BITS[name];
    if (bit === undefined) return malformed("unknown pseudo-header field");
    if ((seen & bit) !== 0) return malformed("pseudo-header field given twice");
    seen |= bit;
    // Not the same as none, which would leave it to Host (RFC 9113 section 8.3.1).
    if (bit === AUTHORITY_BIT && value === "") return new HeadFault("host_invalid", "empty :authority");
    if (name === ":method") pseudo.method = value;
    else if (name === ":scheme") pseudo.scheme = value;
    else if (name === ":authority") pseudo.authority = value;
    else if (name === ":protocol") pseudo.protocol = value;
    else pseudo.path = value;
  }
  pseudo.count = at;
  return pseudo;
}

const COLON = 0x3a;
const AUTHORITY_BIT = 4;
const PSEUDO_BITS: Readonly<Record<string, number>> = {
  ":method": 1,
  ":scheme": 2,
  ":authority": AUTHORITY_BIT,
  ":path": 8,
  ":protocol": 16,
};

/** Names with rules of their own. */
const SPECIAL: ReadonlySet<string> = new Set([...CONNECTION_SPECIFIC, "host", "te", "content-length", "expect"]);

function readSpecial(regular: Regular, name: string, value: string): HeadFault | null {
  switch (name) {
    case "host":
      if (regular.host !== "") return new HeadFault("host_invalid", "more than one Host");
      if (value === "") return new HeadFault("host_invalid", "empty Host");
      regular.host = value;
      return null;
    case "te":
      return value.toLowerCase() === "trailers" ? null : malformed("te other than trailers");
    case "content-length":
      if (regular.contentLength >= 0) return malformed("more than one content-length");
      if (!CONTENT_LENGTH.test(value)) return malformed("content-length that is no number");
      regular.contentLength = Number(value);
      return null;
    case "expect":
      if (value === "") return null;
      if (value.toLowerCase() !== "100-continue") return new HeadFault("expectation_failed", "unknown expectation");
      if (regular.expectContinue) return malformed("more than one expect");
      regular.expectContinue = true;
      return null;
    default:
      return malformed(`field '${name}'`);
  }
}

/** Whether each of these fields (names and values in turn) has a value that may be one (RFC 9113 section 8.2.1). */
export function haveValidValues(raw: readonly string[]): boolean {
  return raw.every((text, at) => at % 2 === 0 || VALUE.test(text));
}

function malformed(seen: string): HeadFault {
  return new HeadFault("request_malformed", seen);
}

function tooLarge(bytesMax: number): HeadFault {
  return new HeadFault("head_too_large", `more than ${bytesMax} bytes`);
}

/** Fields of a head that is refused, as they came: to know whose request it was. */
function fieldsOfRefused(raw: readonly string[]): HeaderBlock {
  return new HeaderBlock(
    raw.filter((_, at) => at % 2 === 0),
    raw.filter((_, at) => at % 2 === 1),
  );
}

/** The same of one that was cut off: a proxy's word on its client may be in what is missing, so the type alone. */
export function typeOfRefused(raw: readonly string[]): HeaderBlock {
  const type = fieldsOfRefused(raw).get("content-type");
  return type === undefined ? NO_HEADERS : new HeaderBlock(["content-type"], [type]);
}
