import { createHmac, timingSafeEqual } from "node:crypto";
import { DEFAULTS } from "../support/defaults.ts";

const TIME_BYTES = 6;
const MAC_BYTES = 16;

/**
 * Challenges that cost no memory: the time of issue and a MAC over it under a key of the process. Whoever shows one has
 * spoken to this process within `proofNonceMs`; a proof that was stolen earlier, or made ahead, does not have it.
 */
export class Nonces {
  readonly #key: Buffer;

  constructor(key: Buffer) {
    this.#key = key;
  }

  issue(nowMs: number): string {
    const time = Buffer.alloc(TIME_BYTES);
    time.writeUIntBE(nowMs, 0, TIME_BYTES);
    return Buffer.concat([time, this.#mac(time)]).toString("base64url");
  }

  isGood(nonce: string, nowMs: number): boolean {
    const bytes = Buffer.from(nonce, "base64url");
    if (bytes.length !== TIME_BYTES + MAC_BYTES || bytes.toString("base64url") !== nonce) return false;
    const time = bytes.subarray(0, TIME_BYTES);
    if (!timingSafeEqual(bytes.subarray(TIME_BYTES), this.#mac(time))) return false;
    const ageMs = nowMs - time.readUIntBE(0, TIME_BYTES);
    return Math.abs(ageMs) < DEFAULTS.proofNonceMs;
  }

  #mac(time: Buffer): Buffer {
    return createHmac("sha256", this.#key).update(time).digest().subarray(0, MAC_BYTES);
  }
}
