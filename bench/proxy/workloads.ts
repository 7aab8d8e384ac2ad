/** One thing that the proxies do, in a way that all contestants can do it. */
export interface Workload {
  readonly name: string;
  readonly protocol: "http/1.1" | "h2";
  /** Plain TCP, TLS 1.3, or TLS 1.3 with a client certificate that must verify. */
  readonly transport: "plain" | "tls" | "mtls";
  /** `forward` only passes on; `full` adds the address rule, the JWT, its scope, the rate limit and header rules. */
  readonly policy: "forward" | "full";
  /** Routes in postern's policy; the others have no notion of them. */
  readonly routes: number;
  /** Null: as much as the other core can send. */
  readonly ratePerSecond: number | null;
}

const http1 = { protocol: "http/1.1", routes: 1, ratePerSecond: null } as const;
const h2 = { protocol: "h2", transport: "tls", routes: 1, ratePerSecond: null } as const;
/** A load that leaves every contestant idle most of the time: what a sidecar adds to a request on an ordinary day. */
const paced = { ...http1, transport: "mtls", ratePerSecond: 2000 } as const;

export const WORKLOADS: readonly Workload[] = [
  { ...http1, name: "h1-plain-forward", transport: "plain", policy: "forward" },
  { ...http1, name: "h1-mtls-forward", transport: "mtls", policy: "forward" },
  { ...http1, name: "h1-mtls-full", transport: "mtls", policy: "full" },
  { ...h2, name: "h2-tls-forward", policy: "forward" },
  { ...h2, name: "h2-tls-full", policy: "full" },
  { ...paced, name: "h1-mtls-forward-2000rps", policy: "forward" },
  { ...paced, name: "h1-mtls-full-2000rps", policy: "full" },
];

/** For time to ready and resident memory: what each can do of the full policy, postern's with a large table of routes. */
export const IDLE_WORKLOADS: readonly Workload[] = [
  { ...http1, name: "full policy, 1,000 routes", transport: "mtls", policy: "full", routes: 1000 },
  { ...http1, name: "full policy", transport: "mtls", policy: "full" },
  { ...http1, name: "forward policy", transport: "mtls", policy: "forward" },
];
