import type { Principal } from "../../message/principal.ts";
import type { Validity } from "../caller-principal.ts";
import type { CallerLimit } from "../filter.ts";
import type { PasswordHash } from "./password-hash.ts";

export interface UserEntry extends Validity {
  readonly principal: Principal;
  readonly hash: PasswordHash;
  /** Keyed hash of the password that was right, and when it was found so; null before. Never the password. */
  right: { readonly tag: Buffer; readonly verifiedMs: number } | null;
}

/** The users of one file; what was verified of them lasts as long as the file's bytes do. */
export interface UserTable {
  readonly users: ReadonlyMap<string, UserEntry>;
  /** What is verified where there is no such user, so that it takes as long. */
  readonly nobody: PasswordHash;
  readonly scopes: ReadonlySet<string>;
  readonly limits: readonly CallerLimit[];
  /** Random; of the process. Without it the keyed hashes tell nothing. */
  readonly secret: Buffer;
}
