/** One thing that the proxies do, in a way that all contestants can do it. */
export interface Workload {
  readonly name: string;
  readonly protocol: "http/1.1";
  /** Plain TCP, or TLS 1.3 with a client certificate that must verify. */
  readonly transport: "plain" | "mtls";
  /** `forward` only passes on; `full` adds the address rule, the JWT, its scope, the rate limit and header rules. */
  readonly policy: "forward" | "full";
  /** Null: as much as the other core can send. */
  readonly ratePerSecond: number | null;
}

const http1 = { protocol: "http/1.1", ratePerSecond: null } as const;
/** A load that leaves every contestant idle most of the time: what a sidecar adds to a request on an ordinary day. */
const paced = { protocol: "http/1.1", transport: "mtls", ratePerSecond: 2000 } as const;

export const WORKLOADS: readonly Workload[] = [
  { ...http1, name: "h1-plain-forward", transport: "plain", policy: "forward" },
  { ...http1, name: "h1-mtls-forward", transport: "mtls", policy: "forward" },
  { ...http1, name: "h1-mtls-full", transport: "mtls", policy: "full" },
  { ...paced, name: "h1-mtls-forward-2000rps", policy: "forward" },
  { ...paced, name: "h1-mtls-full-2000rps", policy: "full" },
];
