import type { JsonObject } from "../support/json.ts";
import type { Result } from "../support/result.ts";

/** Why the admin port does not do or show what it was asked for. */
export interface AdminRefusal {
  readonly status: 400 | 404 | 409;
  /** What is wrong, and what is expected. */
  readonly text: string;
}

export type AdminAnswer = Result<JsonObject, AdminRefusal>;

/** Gives what was done, for the answer and for the log: nothing secret, and few members. */
export type AdminAct = (settings: JsonObject) => AdminAnswer | Promise<AdminAnswer>;

/** A part of the product at the admin port: what it shows to whoever asks, and what it does for who has the token. */
export interface AdminRoom {
  /** As in `/quotas`. */
  readonly path: string;
  /** Answers GET, in bounded size. */
  show(query: URLSearchParams): AdminAnswer | Promise<AdminAnswer>;
  /** Answers POST below the path: `reset` is `/quotas/reset`. */
  readonly acts: Readonly<Record<string, AdminAct>>;
  /** Members of their settings that a person gives, in order: `{ lift: ["ban", "key"] }`. Absent where an act needs none. */
  readonly asks?: Readonly<Record<string, readonly string[]>>;
  /** Those that a program may give besides. An act with any other is not done: a misspelt member must not stand for everything. */
  readonly alsoTakes?: Readonly<Record<string, readonly string[]>>;
}
