import type { X509Certificate } from "node:crypto";
import type { Result } from "../support/result.ts";

/** Why a call gave no answer that could be used; closed, for it is a metric label. */
export const CALL_FAULTS = [
  "address_refused", // a link-local or metadata address that the policy does not name
  "name_unknown", // no address by that name
  "connect_failed",
  "connect_timeout",
  "tls_untrusted",
  "timeout",
  "answer_too_large",
  "answer_encoded", // compressed, though nobody asked for it
  "redirected", // to follow would be to trust whoever answers with where to ask next
  "answer_malformed",
  "busy", // too many calls under way
  "circuit_open", // it failed several times in a row, and is left alone for a while
  "closed",
] as const;

export interface CallFault {
  readonly kind: (typeof CALL_FAULTS)[number];
  /** In words, without anything that was sent. */
  readonly text: string;
}

/** One endpoint's way of being called; what can be set once stays open between calls. */
export interface CallSettings {
  /** PEM of authorities that its certificate is verified against; null for those that the system trusts. */
  readonly ca: Buffer | null;
  /**
   * What is wrong with the certificate that the address shows, or null; in place of the host's name, for whoever is known by
   * another one. The chain is verified all the same. Absent: the host's name counts.
   */
  readonly whyNotServer?: (leaf: X509Certificate) => string | null;
  /** Our own certificate and its key, PEM; null for none. */
  readonly certificate: Buffer | null;
  readonly key: Buffer | null;
  /** Null: the addresses are reached without one. */
  readonly proxy: CallProxy | null;
  /** Lower-case hosts that the policy names: they may have any address, also a link-local one. */
  readonly namedHosts: ReadonlySet<string>;
  /** Path of a Unix socket that is dialled whatever the URL's host; null for none. */
  readonly socketPath: string | null;
  readonly connectTimeoutMs: number;
  /** From the call to the last byte of its answer. */
  readonly timeoutMs: number;
  readonly answerBytesMax: number;
  /** It failed several times in a row: leave it alone for a while. False for callers that space their calls themselves. */
  readonly breaks: boolean;
}

/** A corporate proxy, as `HTTPS_PROXY` and `NO_PROXY` name it. */
export interface CallProxy {
  /** URL of the proxy. */
  readonly url: string;
  /** Comma-separated hosts that are reached without it. */
  readonly except: string;
}

export interface CallRequest {
  readonly method: "GET" | "POST";
  /** `https:`, or `http:` where the policy may say so (`callUrl`). */
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer | null;
}

export interface CallAnswer {
  /** Never 3xx. */
  readonly status: number;
  /** Names in lower case; of several lines of a name, joined by `, `. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Calls one kind of endpoint: an identity provider, a decision service. Never throws, and never follows a redirect. */
export interface Caller {
  call(request: CallRequest): Promise<Result<CallAnswer, CallFault>>;
  /** Calls under way come to their end, others are refused. */
  close(): void;
}

export type OpenCaller = (settings: CallSettings) => Caller;
