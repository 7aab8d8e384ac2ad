import { createHmac, timingSafeEqual } from "node:crypto";
import type { Reason } from "../../decision/reason.ts";
import { Denial, type Place } from "../../decision/verdict.ts";
import type { Account } from "../../memory/account.ts";
import { namedByConnection } from "../../message/connection-options.ts";
import type { AssumedIdentity, Exchange } from "../../message/exchange.ts";
import type { Principal } from "../../message/principal.ts";
import { REPLAY_FAULTS } from "../../proof/dpop.ts";
import type { ReplayWindow } from "../../proof/replay-window.ts";
import { judgedAtMs, spend } from "../../proof/spend.ts";
import { digestOf, type NoBody, wholeBody } from "../../proof/whole-body.ts";
import type { Clock } from "../../support/clock.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { challenge } from "../challenge.ts";
import { type Authentication, type Authenticator, NO_CREDENTIALS } from "../filter.ts";
import { noBodyDenial } from "./no-body.ts";
import type { HmacSettings } from "./schema.ts";
import type { SignedText } from "./signed-text.ts";
import { unknownSigner } from "./unknown-signer.ts";

export interface HmacOptions {
  readonly name: string;
  readonly service: string;
  readonly clock: Clock;
  readonly place: Place;
  readonly rules: HmacSettings;
  readonly signed: SignedText;
  readonly secrets: readonly Buffer[];
  readonly ageMsMax: number;
  readonly bodyBytesMax: number;
  readonly bodies: Account;
  /** Null where a signature may come again. */
  readonly window: ReplayWindow | null;
  readonly principal: Principal;
}

/** What the header says, unverified. */
interface Shown {
  readonly signatures: readonly Buffer[];
  /** As it stands, for it is signed so; empty where there is none. */
  readonly timestamp: string;
}

const HASH_BYTES = { sha256: 32, sha384: 48, sha512: 64 } as const;

/**
 * A MAC over the body, and what else the policy says, with a secret that both sides have, as senders of webhooks make it.
 * What the head alone shows is judged before the body is asked for.
 */
export class HmacAuthenticator implements Authenticator {
  readonly name: string;
  readonly type = "signature";
  readonly place: Place;
  readonly challenge: string;
  /** None: a signature is good for its request alone, and the service may check it again. */
  readonly credentialHeaders: readonly string[] = [];
  readonly coveredHeaders: readonly string[];
  readonly signsBody: boolean;
  readonly scopes: ReadonlySet<string>;
  readonly #options: HmacOptions;

  constructor(options: HmacOptions) {
    const { header, timestamp } = options.rules;
    this.name = options.name;
    this.place = options.place;
    this.challenge = challenge("Signature", options.service);
    this.scopes = options.principal.scopes;
    const timeHeader = timestamp !== undefined && "header" in timestamp ? [timestamp.header] : [];
    this.coveredHeaders = [header, ...timeHeader, ...options.signed.headers];
    this.signsBody = options.signed.has("body");
    this.#options = options;
  }

  authenticate(exchange: Exchange): Authentication | Promise<Authentication> {
    const { headers } = exchange;
    const { rules, clock, bodyBytesMax, bodies } = this.#options;
    if (headers.get(rules.header) === undefined) return NO_CREDENTIALS;
    const shown = this.#read(exchange);
    if (shown instanceof Denial) return shown;
    const late = this.#judgeTime(shown, judgedAtMs(exchange, clock.wallMs()));
    if (late !== null) return late;
    const body = wholeBody(exchange, bodyBytesMax, bodies);
    if (body instanceof Promise) return body.then((settled) => this.#judge(settled, shown, exchange));
    return this.#judge(body, shown, exchange);
  }

  callers(): readonly Principal[] {
    return [this.#options.principal];
  }

  assume(identity: AssumedIdentity): Authentication {
    if (identity.type !== "signature") return NO_CREDENTIALS;
    const { principal } = this.#options;
    return principal.id === identity.caller ? principal : unknownSigner(identity.caller, this.place);
  }

  #read({ headers }: Exchange): Shown | Denial {
    const { rules } = this.#options;
    for (const name of this.coveredHeaders) {
      if (headers.count(name) !== 1)
        return this.#malformed(`${name} ${headers.count(name) === 0 ? "missing" : "twice"}`);
      // It would be judged here and be taken off on the way to the service.
      if (namedByConnection(headers)?.has(name)) return this.#malformed(`${name} named by Connection`);
    }
    const { timestamp, header, element } = rules;
    const value = headers.get(header) ?? "";
    const texts = element === undefined ? [value] : elementsOf(value, element);
    if (texts.length > DEFAULTS.signaturesMax) return this.#malformed("too many signatures");
    const signatures = texts.flatMap((text) => decode(text, rules) ?? []);
    if (signatures.length === 0) return this.#malformed(`no signature in ${rules.encoding}`);
    if (timestamp === undefined) return { signatures, timestamp: "" };
    const times = "header" in timestamp ? [headers.get(timestamp.header) ?? ""] : elementsOf(value, timestamp.element);
    const [time = ""] = times;
    return times.length === 1 && /^\d{1,12}$/.test(time)
      ? { signatures, timestamp: time }
      : this.#malformed("no time in seconds");
  }

  #judgeTime({ timestamp }: Shown, nowMs: number): Denial | null {
    if (timestamp === "") return null;
    const ageMs = nowMs - Number(timestamp) * 1000;
    if (ageMs >= -DEFAULTS.clockSkewMs && ageMs < this.#options.ageMsMax) return null;
    const seconds = Math.round(Math.abs(ageMs) / 1000);
    return this.#denied(
      "proof_expired",
      `signed ${ageMs < 0 ? `in ${seconds} s` : `${seconds} s ago`}`,
      "a signature of now",
    );
  }

  #judge(body: Buffer | NoBody, shown: Shown, exchange: Exchange): Authentication | Promise<Authentication> {
    if (!Buffer.isBuffer(body)) return noBodyDenial(body, this.#options.bodyBytesMax, this.place);
    const bytes = this.#options.signed.bytesOf(exchange, shown.timestamp, body);
    return bytes === null ? this.#malformed("a signed header missing or twice") : this.#try(0, bytes, shown, exchange);
  }

  /** By each secret, for one of them may be on its way in or out. */
  #try(
    at: number,
    bytes: readonly Buffer[],
    shown: Shown,
    exchange: Exchange,
  ): Authentication | Promise<Authentication> {
    const { secrets, rules, clock, principal } = this.#options;
    const secret = secrets[at];
    if (secret === undefined) {
      return this.#denied(
        "proof_signature_invalid",
        "a signature by no secret of ours",
        "a signature over this request",
      );
    }
    const judge = (mac: Buffer): Authentication | Promise<Authentication> =>
      shown.signatures.some((signature) => timingSafeEqual(signature, mac))
        ? (this.#judgeReplay(mac, shown, exchange) ?? principal)
        : this.#try(at + 1, bytes, shown, exchange);
    const mac = digestOf(createHmac(rules.algorithm, secret), bytes, clock);
    return mac instanceof Promise ? mac.then(judge) : judge(mac);
  }

  #judgeReplay(mac: Buffer, { timestamp }: Shown, exchange: Exchange): Denial | null {
    const { window, ageMsMax, clock } = this.#options;
    if (window === null || timestamp === "") return null;
    const untilMs = Number(timestamp) * 1000 + ageMsMax;
    // Whichever authenticator took it: what is signed may say nothing of the route.
    const spent = spend(exchange, window, `hmac\n${mac.toString("hex")}`, untilMs, clock.wallMs());
    if (spent === "new") return null;
    const { reason, seen, wanted } = REPLAY_FAULTS[spent];
    return this.#denied(reason, seen, wanted);
  }

  #malformed(seen: string): Denial {
    return this.#denied("proof_malformed", seen, `one ${this.#options.rules.header} header as the policy says`);
  }

  #denied(reason: Reason, seen: string, wanted: string): Denial {
    return new Denial(reason, this.place, seen, wanted);
  }
}

/** Values of `name` in `a=1,b=2`, as Stripe has it. */
function elementsOf(value: string, name: string): string[] {
  return value.split(",").flatMap((pair) => {
    const text = pair.trim();
    return text.startsWith(`${name}=`) ? [text.slice(name.length + 1)] : [];
  });
}

/** Null for what is no MAC of the algorithm in the encoding; one MAC has one text but for the case of hex. */
function decode(text: string, { prefix = "", encoding, algorithm }: HmacSettings): Buffer | null {
  if (!text.startsWith(prefix)) return null;
  const encoded = text.slice(prefix.length);
  const bytes = Buffer.from(encoded, encoding);
  const isCanonical = bytes.toString(encoding) === (encoding === "hex" ? encoded.toLowerCase() : encoded);
  return isCanonical && bytes.length === HASH_BYTES[algorithm] ? bytes : null;
}
