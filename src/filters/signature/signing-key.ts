import type { KeyObject } from "node:crypto";
import type { Principal } from "../../message/principal.ts";
import type { SignatureAlgorithm } from "../../proof/algorithms.ts";

/** A key that somebody signs with, for one algorithm. */
export interface SigningKey {
  readonly key: KeyObject;
  readonly algorithm: SignatureAlgorithm;
  readonly principal: Principal;
}
