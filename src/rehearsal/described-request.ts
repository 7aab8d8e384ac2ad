import { X509Certificate } from "node:crypto";
import { REASONS, type Reason } from "../decision/reason.ts";
import { HeadFault, hostName, type ParsedHeaders, parseRequestLine } from "../http1/head.ts";
import { checkRequest, parseRequestHeaders } from "../http1/request-reader.ts";
import { parseAddress } from "../message/address.ts";
import { EMPTY_BODY, type RequestBody } from "../message/body.ts";
import { readClientCertificate } from "../message/certificate.ts";
import { whyUnchained } from "../message/certificate-chain.ts";
import { TRUST_DOMAIN_MISMATCH } from "../message/certificate-fault.ts";
import { anchorsOf } from "../message/client-trust.ts";
import type { ClientCertificate, HttpProtocol } from "../message/connection.ts";
import { type AssumedIdentity, Exchange } from "../message/exchange.ts";
import { keptTarget } from "../message/kept-target.ts";
import { WITHOUT_BODY } from "../message/method.ts";
import { NO_LENGTH } from "../message/stream.ts";
import type { ListenerSettings, TlsSettings } from "../policy/snapshot.ts";
import { err, ok, type Result } from "../support/result.ts";
import { certificateSupposed, type SupposedCertificate } from "./supposed-certificate.ts";

/** A request as the command line, or a test of a policy, describes it. */
export interface RequestDescription {
  /** `GET /v1/orders/1`; a target alone means GET. */
  readonly request: string;
  /** `Name: value` lines. */
  readonly headers: readonly string[];
  readonly client: string;
  /** PEM of the client's certificate, leaf first; or one that is supposed, which only a listener that asks for some gets. */
  readonly certificate: Buffer | SupposedCertificate | null;
  readonly as: AssumedIdentity | null;
  readonly body: Buffer | null;
}

/** Why no request can be made of a description. */
export interface NoExchange {
  readonly text: string;
  /** postern would answer it with this refusal; null where the description makes no sense. */
  readonly reason: Reason | null;
}

/** Description → the exchange that the same bytes on a socket would have become, or why no such bytes exist. */
export async function describeExchange(
  description: RequestDescription,
  listener: ListenerSettings,
  keepsInPaths: number,
  nowMs: number,
): Promise<Result<Exchange, NoExchange>> {
  const line = parseRequestLine(`${withMethod(description.request)} HTTP/1.1`);
  if (line instanceof HeadFault) return misused(`not a request: ${line.seen}`);
  const parsed = readHeaders(description, listener.headersCountMax);
  if (parsed instanceof HeadFault) return misused(`not valid headers: ${parsed.seen}`);
  const checked = checkRequest(line, parsed);
  if (checked instanceof HeadFault) {
    return err({
      reason: checked.reason,
      text: `${checked.reason} (${REASONS[checked.reason].status}): ${checked.seen}`,
    });
  }
  const peer = parseAddress(description.client);
  if (peer === null) return misused(`not an IP address: ${description.client}`);
  const target = keptTarget(checked.target, keepsInPaths);
  if (!target.ok) {
    const text = `target_ambiguous (400): ${target.error.seen}; wanted ${target.error.wanted}`;
    return err({ reason: "target_ambiguous", text });
  }
  const certificate = await readCertificate(description.certificate, listener, nowMs);
  if (!certificate.ok) return misused(certificate.error);
  const exchange = new Exchange(
    {
      listener: listener.name,
      peer,
      proxyPeer: null,
      protocol: protocolOf(listener, parsed.headers.get("content-type")),
      secure: listener.tls !== null,
      certificate: certificate.value,
    },
    line.method,
    target.value.target,
    hostName(parsed.authority),
    parsed.authority,
    parsed.headers,
    bodyOf(parsed.bodyBytes, line.method, description.body ?? Buffer.alloc(0)),
  );
  exchange.upstream = listener.upstream;
  exchange.oddity = target.value.oddity;
  exchange.receivedTarget = checked.target;
  exchange.assumed = description.as;
  if (parsed.upgrade) exchange.upgrade = "upgrade";
  return ok(exchange);
}

/** Puts an identity in place of credentials, of a request that nobody sent. */
export function assume(exchange: Exchange, identity: AssumedIdentity | null): void {
  exchange.assumed = identity;
}

/** gRPC comes over HTTP/2 where the listener has it; anything else over HTTP/1.1, which judges alike. */
function protocolOf({ protocols }: ListenerSettings, contentType: string | undefined): HttpProtocol {
  if (!protocols.includes("h2")) return "http/1.1";
  return !protocols.includes("http/1.1") || GRPC.test(contentType ?? "") ? "h2" : "http/1.1";
}

const GRPC = /^application\/grpc(?:\+|;|\s|$)/i;

function misused(text: string): Result<never, NoExchange> {
  return err({ text, reason: null });
}

function withMethod(request: string): string {
  return request.includes(" ") ? request : `GET ${request}`;
}

function readHeaders({ headers, body }: RequestDescription, countMax: number): ParsedHeaders | HeadFault {
  const lines = [...headers];
  const has = (name: string) => lines.some((line) => line.toLowerCase().startsWith(`${name}:`));
  if (!has("host")) lines.unshift("Host: localhost");
  if (body !== null && !has("content-length")) lines.push(`Content-Length: ${body.length}`);
  return parseRequestHeaders(lines.map((line) => `${line}\r\n`).join(""), countMax);
}

/** A body as announced; where only Content-Length is given, its size is judged and its content is empty. */
function bodyOf(announcedBytes: number, method: string, bytes: Buffer): RequestBody {
  if (announcedBytes === NO_LENGTH || announcedBytes === 0) return EMPTY_BODY;
  return {
    announcedBytes,
    bytes: bytes.length,
    isStray: WITHOUT_BODY.has(method),
    isKept: false,
    accept: () => {},
    start: (sink, bytesMax) => {
      if (bytes.length > bytesMax) sink.onBodyFailure("body_too_large");
      else {
        sink.onBody(bytes);
        sink.onBodyEnd(null);
      }
    },
    pause: () => {},
    resume: () => {},
    setPatience: () => {},
  };
}

export function asksForCertificates({ tls }: ListenerSettings): boolean {
  return tls !== null && tls.clientCertificate !== "off";
}

const CERTIFICATES = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

async function readCertificate(
  pem: Buffer | SupposedCertificate | null,
  listener: ListenerSettings,
  nowMs: number,
): Promise<Result<ClientCertificate | null, string>> {
  if (pem === null) return ok(null);
  if (!Buffer.isBuffer(pem)) return ok(asksForCertificates(listener) ? certificateSupposed(pem) : null);
  try {
    const chain = certificatesOf(pem);
    const leaf = chain[0];
    if (leaf === undefined) return err("the certificate file holds no certificate");
    return ok(readClientCertificate(leaf, await whyRefused(leaf, chain.slice(1), listener.tls, nowMs)));
  } catch {
    return err("the certificate file is not PEM");
  }
}

function certificatesOf(pem: Buffer): X509Certificate[] {
  return (pem.toString("latin1").match(CERTIFICATES) ?? []).map((block) => new X509Certificate(block));
}

/** What the handshake would say, in OpenSSL's words. */
async function whyRefused(
  leaf: X509Certificate,
  chain: readonly X509Certificate[],
  tls: TlsSettings | null,
  nowMs: number,
): Promise<string | null> {
  const untrusted = whyUnchained(leaf, chain, certificatesOf(tls?.clientCa ?? Buffer.alloc(0)), nowMs);
  if (untrusted !== null || tls === null) return untrusted;
  if (tls.clientCrl !== null) {
    const { isRevoked } = await import("./revoked-serial.ts");
    if (isRevoked(leaf.toString(), tls.clientCrl.toString("latin1"))) return "CERT_REVOKED";
  }
  if (tls.trust === null) return null;
  const { spiffeId } = readClientCertificate(leaf, null);
  return whyUnchained(leaf, chain, anchorsOf(spiffeId, tls.trust), nowMs) === null ? null : TRUST_DOMAIN_MISMATCH;
}
