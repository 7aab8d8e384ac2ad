import type { Resource, ResourceStatus, ResourceWorld } from "../resources/resource.ts";
import { ok, type Result } from "../support/result.ts";
import { Nonces } from "./nonces.ts";
import { ReplayWindow } from "./replay-window.ts";

export const PROOF_STATE = "replay window";

/** What proofs need beyond one request: one for the process, so that a reload opens no way for what was shown before. */
export class ProofState implements Resource {
  readonly kind = PROOF_STATE;
  readonly name = "proofs";
  readonly window: ReplayWindow;
  readonly nonces: Nonces;
  readonly #tries = { ok: 0, unchanged: 0, failed: 0, unusable: 0 };

  /** `nonceKey`: 32 random bytes. */
  constructor({ memory }: Pick<ResourceWorld, "memory">, nonceKey: Buffer) {
    this.window = new ReplayWindow(memory.proofs);
    this.nonces = new Nonces(nonceKey);
  }

  status(): ResourceStatus {
    const { size, refused } = this.window;
    const { kind, name } = this;
    const detail = `${size} proofs remembered, ${refused} refused for want of room`;
    return {
      kind,
      name,
      state: "ready",
      detail,
      freshAtMs: null,
      staleUntilMs: null,
      fault: null,
      tries: this.#tries,
    };
  }

  start(): void {}

  forget(): void {
    this.window.clear();
  }

  close(): void {
    this.window.close();
  }

  tryOnce(): Promise<Result<string, string>> {
    return Promise.resolve(ok("kept in memory"));
  }
}
