/** Kind of the resource that asks a service how it is. */
export const HEALTH_CHECK = "health check";

/** What a service is asked, and which answers are good. */
export interface ProbeSettings {
  /** A request, `grpc.health.v1.Health/Check`, or a connection and nothing more. */
  readonly type: "http" | "grpc" | "tcp";
  readonly method: "GET" | "HEAD";
  /** Path and query, as they are sent. */
  readonly target: string;
  /** Host of the request, `:authority` of HTTP/2; null for the address. */
  readonly authority: string | null;
  /** Header lines, `name: value` with CR LF each. */
  readonly lines: string;
  /** Of gRPC; empty for the server as a whole. */
  readonly service: string;
  /** Good ones, from and to. */
  readonly statuses: readonly (readonly [number, number])[];
  readonly timeoutMs: number;
}

export interface ProbeAnswer {
  /** Null: it could not be asked, for want of something of this process or machine. */
  readonly isGood: boolean | null;
  /** Of the service's answer; 503 where there is none, and where it is no HTTP that says it is not well. */
  readonly status: number;
  /** What it said, or why it said nothing: for people of the policy, without a byte of the answer's body. */
  readonly text: string;
}

/** Asks a service once. Never fails: no answer is an answer. */
export type Probe = () => Promise<ProbeAnswer>;
