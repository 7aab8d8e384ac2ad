import type { Attribute } from "../../attributes/attribute.ts";
import type { DecisionPoint } from "./decision-point.ts";
import type { Template } from "./document.ts";
import type { Protocol } from "./protocol.ts";

/** What one service is asked of the requests of one route. */
export interface Question {
  readonly service: string;
  /** Of the point; no other question of it has the same. */
  readonly id: number;
  readonly point: DecisionPoint;
  readonly protocol: Protocol;
  readonly template: Template;
  /** Attributes in which requests are equal that share an answer; null where each is asked about. */
  readonly cacheBy: readonly Attribute[] | null;
  readonly phase: "authorize" | "validate";
  /** How long a request waits for an answer. */
  readonly timeoutMs: number;
  readonly opensOnFailure: boolean;
}
