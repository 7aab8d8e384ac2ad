import type { X509Certificate } from "node:crypto";
import type { Clock } from "../support/clock.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";
import { readClientCertificate } from "./certificate.ts";
import { whyUnchained } from "./certificate-chain.ts";
import type { CertificateFormat } from "./certificate-formats.ts";
import type { ClientCertificate } from "./connection.ts";
import type { EncodedChain } from "./encoded-certificate.ts";
import type { HeaderBlock } from "./headers.ts";
import type { Revocations } from "./revocations.ts";

export interface ForwardedCertificateRules {
  readonly format: CertificateFormat;
  /** Lower case. */
  readonly header: string;
  /** The authorities in which the chain of a certificate with this SPIFFE ID has to end; null: the proxy's word is taken. */
  readonly anchors: ((spiffeId: string | null) => readonly X509Certificate[]) | null;
  /** Null: none are asked. */
  readonly revocations: Revocations | null;
  /** Names that a proxy tells without the certificate are taken as they are. */
  readonly takesNames: boolean;
  readonly clock: Pick<Clock, "wallMs">;
}

interface Known {
  readonly certificate: ClientCertificate;
  readonly untilMs: number;
}

/**
 * Reads the client's certificate where a trusted proxy before us has ended its TLS. Only to be asked of its requests. That a
 * proxy asked the client to prove its key has to be believed; what the certificate is worth is judged here, as the handshake
 * would. What was judged is remembered for a while, so that one client costs its signatures once.
 */
export class ForwardedCertificates {
  /** Names of those that tell it, lower case. */
  readonly headers: readonly string[];
  readonly #rules: ForwardedCertificateRules;
  readonly #known = new Map<string, Known>();

  constructor(rules: ForwardedCertificateRules) {
    this.headers = [rules.header, `${rules.header}-chain`];
    this.#rules = rules;
  }

  /** Null where the client showed none. The error is what was seen, where the header cannot be read in one way. */
  read(headers: HeaderBlock): Result<ClientCertificate | null, string> {
    const { header, clock } = this.#rules;
    const at = headers.names.indexOf(header);
    if (at < 0) return ok(null);
    const key = `${headers.values[at]}\n${headers.list(`${header}-chain`) ?? ""}`;
    const nowMs = clock.wallMs();
    const known = this.#known.get(key);
    const isOnly = headers.names.indexOf(header, at + 1) < 0;
    if (known !== undefined && isOnly && nowMs < known.untilMs) return ok(known.certificate);
    const judged = this.#readAnew(headers, nowMs);
    if (!judged.ok) return err(`${header}: ${judged.error}`);
    const certificate = judged.value;
    if (certificate !== null) this.#remember(key, { certificate, untilMs: nowMs + DEFAULTS.forwardedCertificateMs });
    return ok(certificate);
  }

  #readAnew(headers: HeaderBlock, nowMs: number): Result<ClientCertificate | null, string> {
    const { header, format, takesNames } = this.#rules;
    const named = takesNames ? format.readNames?.(headers, header) : undefined;
    if (named !== undefined && (!named.ok || named.value !== null)) return named;
    const chain = format.read(headers, header);
    return chain.ok && chain.value !== null ? ok(this.#judge(chain.value, nowMs)) : chain.ok ? ok(null) : chain;
  }

  #judge([leaf, ...sent]: EncodedChain, nowMs: number): ClientCertificate | null {
    if (leaf === undefined) return null;
    const certificate = readClientCertificate(leaf, null);
    const untrusted = this.#whyUntrusted(leaf, sent, certificate.spiffeId, nowMs);
    return untrusted === null ? certificate : { ...certificate, untrusted };
  }

  #whyUntrusted(leaf: X509Certificate, sent: readonly X509Certificate[], spiffeId: string | null, nowMs: number) {
    const { anchors, revocations } = this.#rules;
    if (anchors !== null) return whyUnchained(leaf, sent, anchors(spiffeId), nowMs, revocations);
    if (nowMs > leaf.validToDate.getTime()) return "CERT_HAS_EXPIRED";
    return nowMs < leaf.validFromDate.getTime() ? "CERT_NOT_YET_VALID" : null;
  }

  /** The oldest gives way. */
  #remember(key: string, known: Known): void {
    this.#known.delete(key);
    if (this.#known.size >= DEFAULTS.forwardedCertificatesMax) {
      const [oldest] = this.#known.keys();
      if (oldest !== undefined) this.#known.delete(oldest);
    }
    // A copy: what was cut out of a head would keep the whole head.
    this.#known.set(Buffer.from(key, "latin1").toString("latin1"), known);
  }
}
