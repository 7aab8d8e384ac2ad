import { hash } from "node:crypto";
import type { Reason } from "../../decision/reason.ts";
import { Denial, type HeaderLine, type Place } from "../../decision/verdict.ts";
import type { Account } from "../../memory/account.ts";
import { namedByConnection } from "../../message/connection-options.ts";
import type { AssumedIdentity, Exchange } from "../../message/exchange.ts";
import type { Principal } from "../../message/principal.ts";
import { type AnnouncedDigest, isDigestOf, readContentDigest } from "../../proof/content-digest.ts";
import { REPLAY_FAULTS } from "../../proof/dpop.ts";
import { isSignatureOf, type MessageSignature, readSignatures, signatureBase } from "../../proof/message-signature.ts";
import type { ReplayWindow } from "../../proof/replay-window.ts";
import { coversAgent, SIGNATURE_AGENT } from "../../proof/signature-agent.ts";
import { judgedAtMs, spend } from "../../proof/spend.ts";
import { type NoBody, wholeBody } from "../../proof/whole-body.ts";
import type { Waiting } from "../../resources/waiting.ts";
import type { Clock } from "../../support/clock.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { excerpt } from "../../support/excerpt.ts";
import { challenge } from "../challenge.ts";
import { type Authentication, type Authenticator, NO_CREDENTIALS } from "../filter.ts";
import type { Agents } from "./agents.ts";
import { noBodyDenial } from "./no-body.ts";
import type { SigningKey } from "./signing-key.ts";
import { unknownSigner } from "./unknown-signer.ts";

export interface MessageOptions {
  readonly name: string;
  readonly service: string;
  readonly clock: Clock;
  readonly place: Place;
  readonly keys: ReadonlyMap<string, SigningKey>;
  /** Null: no keys but these. */
  readonly agents: Agents | null;
  readonly waiting: Waiting;
  /** Components that have to be signed, as they stand in Signature-Input. */
  readonly covers: readonly string[];
  /** Those that have to be where the request has the field. */
  readonly coversIfThere: readonly string[];
  readonly tag: string | null;
  readonly needsNonce: boolean;
  readonly needsExpires: boolean;
  readonly ageMsMax: number;
  readonly bodyBytesMax: number;
  readonly bodies: Account;
  readonly window: ReplayWindow | null;
}

/** A signature that is good as far as the head shows. */
interface Good {
  readonly signature: MessageSignature;
  readonly base: string;
  readonly principal: Principal;
  /** Null where it does not cover the body. */
  readonly digests: readonly AnnouncedDigest[] | null;
}

const DIGEST = '"content-digest"';
const AGENT = `"${SIGNATURE_AGENT}"`;
const RETRY_LATER: readonly HeaderLine[] = [["retry-after", "5"]];

/** What says as much as another component, and more. */
const IMPLIED: ReadonlyMap<string, readonly string[]> = new Map([
  ['"@authority"', ['"@target-uri"']],
  ['"@scheme"', ['"@target-uri"']],
  ['"@path"', ['"@target-uri"', '"@request-target"']],
  ['"@query"', ['"@target-uri"', '"@request-target"']],
]);

/**
 * HTTP Message Signatures (RFC 9421): one of the request's signatures, by a key of the policy, over all that the policy wants
 * to be covered. The body is asked for last, when the signature over its digest has held: nobody without a key makes it
 * be read.
 */
export class MessageSignatureAuthenticator implements Authenticator {
  readonly name: string;
  readonly type = "signature";
  readonly place: Place;
  readonly challenge: string;
  readonly challengeHeaders: readonly HeaderLine[];
  readonly credentialHeaders: readonly string[] = [];
  readonly coveredHeaders: readonly string[];
  readonly signsBody: boolean;
  readonly #options: MessageOptions;

  constructor(options: MessageOptions) {
    this.name = options.name;
    this.place = options.place;
    this.challenge = challenge("Signature", options.service);
    const tag = options.tag === null ? "" : `;tag="${options.tag}"`;
    const more = `${options.needsExpires ? ";expires" : ""}${options.needsNonce ? ";nonce" : ""}`;
    // RFC 9421 section 5.1: what a signature is to be over.
    this.challengeHeaders = [["accept-signature", `sig=(${options.covers.join(" ")});created${more};keyid${tag}`]];
    const covered = [...options.covers, ...options.coversIfThere];
    this.coveredHeaders = covered.flatMap((text) => /^"([^"@][^"]*)"/.exec(text)?.[1] ?? []);
    this.signsBody = this.coveredHeaders.includes("content-digest");
    this.#options = options;
  }

  authenticate(exchange: Exchange): Authentication | Promise<Authentication> {
    const { tag, agents, waiting, clock } = this.#options;
    const read = readSignatures(exchange);
    if (read === null) return NO_CREDENTIALS;
    if (!read.ok) return this.#denied("proof_malformed", read.error, "signatures as RFC 9421 has them");
    // Of another tag it is for somebody else (RFC 9421 section 2.3).
    const ours = tag === null ? read.value : read.value.filter((signature) => signature.tag === tag);
    const nowMs = judgedAtMs(exchange, clock.wallMs());
    const newer = agents === null ? null : this.#newerKeys(ours, agents, exchange, nowMs);
    if (newer === null) return this.#judge(ours, exchange, nowMs);
    return waiting.until(exchange, newer, DEFAULTS.keySetWaitMs).then(() => this.#judge(ours, exchange, nowMs));
  }

  /** Where a key may be on its way that a signature needs, of which everything else is as it has to be; null for none. */
  #newerKeys(
    signatures: readonly MessageSignature[],
    agents: Agents,
    exchange: Exchange,
    nowMs: number,
  ): Promise<void> | null {
    for (const signature of signatures) {
      const agent = agents.agentOf(exchange, signature.label);
      if (agent?.ok !== true || agent.value.keyOf(signature.keyid ?? "") !== undefined) continue;
      if (!isThumbprint(signature.keyid) || this.#judgeForm(signature, exchange, nowMs) !== null) continue;
      agent.value.noteUnknownKey();
      return agent.value.newer();
    }
    return null;
  }

  #judge(
    signatures: readonly MessageSignature[],
    exchange: Exchange,
    nowMs: number,
  ): Authentication | Promise<Authentication> {
    const { bodyBytesMax, bodies } = this.#options;
    let told: Denial | null = null;
    for (const signature of signatures) {
      const good = this.#judgeHead(signature, exchange, nowMs);
      if (good instanceof Denial) {
        if (told === null || told.reason === "proof_key_unknown") told = good;
        continue;
      }
      if (good.digests === null) return this.#judgeReplay(good, exchange);
      const body = wholeBody(exchange, bodyBytesMax, bodies);
      if (body instanceof Promise) return body.then((settled) => this.#judgeBody(settled, good, exchange));
      return this.#judgeBody(body, good, exchange);
    }
    return told;
  }

  assume(identity: AssumedIdentity): Authentication {
    if (identity.type !== "signature") return NO_CREDENTIALS;
    const { keys, agents } = this.#options;
    for (const { principal } of keys.values()) if (principal.id === identity.caller) return principal;
    return agents?.callerNamed(identity.caller) ?? unknownSigner(identity.caller, this.place);
  }

  /** All that needs no body, the signature last. */
  #judgeHead(signature: MessageSignature, exchange: Exchange, nowMs: number): Good | Denial {
    const known = this.#keyOf(signature, exchange);
    if (known instanceof Denial) return known;
    if (signature.algorithm !== null && signature.algorithm !== known.algorithm) {
      return this.#denied("proof_algorithm_forbidden", `alg ${excerpt(signature.algorithm)}`, `alg ${known.algorithm}`);
    }
    const fault = this.#judgeForm(signature, exchange, nowMs);
    if (fault !== null) return fault;
    const digests = signature.covered.includes(DIGEST) ? readContentDigest(exchange) : null;
    if (digests?.ok === false)
      return this.#denied("proof_malformed", `Content-Digest: ${digests.error}`, "a digest (RFC 9530)");
    const base = this.#verifiedBase(signature, known, exchange);
    if (base instanceof Denial) return base;
    return { signature, base, principal: known.principal, digests: digests?.value ?? null };
  }

  /** By the directory of the agent that the request names, else by the keys of the policy. */
  #keyOf({ keyid, label }: MessageSignature, exchange: Exchange): SigningKey | Denial {
    const { keys, agents } = this.#options;
    const seen = keyid === null ? "no keyid" : `keyid ${excerpt(keyid)}`;
    const agent = agents?.agentOf(exchange, label) ?? null;
    const known = (agent?.ok === true ? agent.value.keyOf(keyid ?? "") : undefined) ?? keys.get(keyid ?? "");
    if (known !== undefined) return known;
    if (agent?.ok === false) {
      return this.#denied("proof_key_unknown", `${excerpt(agent.error)}, ${seen}`, "an agent of this authenticator");
    }
    const doubt = agent?.value.doubt ?? null;
    if (doubt === null) return this.#denied("proof_key_unknown", seen, "a key of this authenticator");
    return new Denial("keys_unavailable", this.place, `${seen}; ${doubt}`, "keys of the agent", RETRY_LATER);
  }

  /** What of it needs no key. */
  #judgeForm(signature: MessageSignature, exchange: Exchange, nowMs: number): Denial | null {
    return this.#judgeTime(signature, nowMs) ?? this.#judgeCovered(signature, exchange);
  }

  #judgeTime({ created, expires }: MessageSignature, nowMs: number): Denial | null {
    const { ageMsMax, needsExpires } = this.#options;
    if (created === null) return this.#denied("proof_incomplete", "no created", "created");
    if (expires === null && needsExpires) return this.#denied("proof_incomplete", "no expires", "expires");
    const ageMs = nowMs - created * 1000;
    const isOver = expires !== null && nowMs >= expires * 1000 + DEFAULTS.clockSkewMs;
    if (ageMs >= -DEFAULTS.clockSkewMs && ageMs < ageMsMax && !isOver) return null;
    const seconds = Math.round(Math.abs(ageMs) / 1000);
    const age = ageMs < 0 ? `created in ${seconds} s` : `created ${seconds} s ago`;
    return this.#denied("proof_expired", isOver ? `${age}, and expired` : age, "a signature of now");
  }

  #judgeCovered({ covered, nonce, label }: MessageSignature, exchange: Exchange): Denial | null {
    const { covers, coversIfThere, needsNonce } = this.#options;
    if (needsNonce && nonce === null) return this.#denied("proof_incomplete", "no nonce", "a nonce");
    const isCovered = (name: string): boolean =>
      covered.includes(name) ||
      (IMPLIED.get(name)?.some((other) => covered.includes(other)) ?? false) ||
      (name === AGENT && coversAgent(covered, label));
    const here = coversIfThere.filter((name) => exchange.headers.get(name.slice(1, -1)) !== undefined);
    // Where there is no body there is nothing that a digest would be of.
    const wanted =
      exchange.body.announcedBytes === 0 && exchange.collectedBody === null
        ? covers.filter((name) => name !== DIGEST)
        : covers;
    const missing = [...wanted, ...here].filter((name) => !isCovered(name));
    if (missing.length > 0)
      return this.#denied("proof_incomplete", `${missing.join(" ")} not covered`, covers.join(" "));
    const named = namedByConnection(exchange.headers);
    const off = named === null ? undefined : covered.find((name) => named.has(name.slice(1, -1)));
    return off === undefined
      ? null
      : this.#denied("proof_malformed", `${excerpt(off)} named by Connection`, "fields for the whole way");
  }

  /**
   * Over the target as it came, or over its canonical form, which is what the service gets: some clients sign the one and send
   * the other. Both are the same request.
   */
  #verifiedBase(signature: MessageSignature, { key, algorithm }: SigningKey, exchange: Exchange): string | Denial {
    const { path, query } = exchange.target;
    const canonical = path + query;
    const received = exchange.receivedTarget === "" ? canonical : exchange.receivedTarget;
    for (const target of received === canonical ? [canonical] : [received, canonical]) {
      const base = signatureBase(signature, exchange, target);
      if (!base.ok) return this.#denied("proof_malformed", base.error, "components that the request has");
      if (isSignatureOf(base.value, signature.signature, key, algorithm)) return base.value;
    }
    return this.#denied(
      "proof_signature_invalid",
      `label ${excerpt(signature.label)}`,
      "a signature over this request",
    );
  }

  #judgeBody(body: Buffer | NoBody, good: Good, exchange: Exchange): Authentication | Promise<Authentication> {
    const { bodyBytesMax, clock } = this.#options;
    if (!Buffer.isBuffer(body)) return noBodyDenial(body, bodyBytesMax, this.place);
    const settle = (isSame: boolean): Authentication =>
      isSame
        ? this.#judgeReplay(good, exchange)
        : this.#denied("proof_digest_mismatch", "a body of another digest", "the body that Content-Digest is of");
    const isSame = isDigestOf(good.digests ?? [], body, clock);
    return isSame instanceof Promise ? isSame.then(settle) : settle(isSame);
  }

  /** By what is signed and not by the signature, of which some algorithms have more than one for the same text. */
  #judgeReplay({ signature, base, principal }: Good, exchange: Exchange): Authentication {
    const { window, ageMsMax, clock } = this.#options;
    if (window === null) return principal;
    const untilMs = Number(signature.created) * 1000 + ageMsMax;
    const spent = spend(exchange, window, `message\n${hash("sha256", base, "base64")}`, untilMs, clock.wallMs());
    if (spent === "new") return principal;
    const { reason, seen, wanted } = REPLAY_FAULTS[spent];
    return this.#denied(reason, seen, wanted);
  }

  #denied(reason: Reason, seen: string, wanted: string): Denial {
    return new Denial(reason, this.place, seen, wanted, this.challengeHeaders);
  }
}

/** What a directory's key is called, and nothing else is worth asking it for: a SHA-256 in base64url. */
function isThumbprint(keyid: string | null): boolean {
  return keyid !== null && /^[A-Za-z0-9_-]{43}$/.test(keyid);
}
