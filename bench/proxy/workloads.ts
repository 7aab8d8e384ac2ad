/** One thing that the proxies do, in a way that all contestants can do it. */
export interface Workload {
  readonly name: string;
  readonly protocol: "http/1.1" | "h2";
  /** What the service speaks, without TLS. */
  readonly upstream: "http/1.1" | "h2c";
  /** Plain TCP, TLS 1.3, or TLS 1.3 with a client certificate that must verify. */
  readonly transport: "plain" | "tls" | "mtls";
  /** `forward` only passes on; `full` adds the address rule, the JWT, its scope, the rate limit and header rules. */
  readonly policy: "forward" | "full";
  /**
   * What clients do: many short GETs; many POSTs of JSON, which postern also holds against a schema; one body
   * of 1 GiB down or up; or connect, ask once, and stay.
   */
  readonly work: "get" | "post" | "download" | "upload" | "connections";
  /** What is read: a short answer, or orders as JSON, of 2 KB or 1 MiB, with or without a field of each that stays behind. */
  readonly answer: "short" | "2kb" | "1mib";
  /** Whether that field is removed; postern knows fields, nginx a text that is the same in each item. */
  readonly fields: boolean;
  /** Whether it is looked through for leaks of all kinds; only postern does that. */
  readonly leaks: boolean;
  /** Whether it is held to a schema; only postern does that. */
  readonly contract: boolean;
  /** Of the order that is posted: its length (`orderOf`). */
  readonly articles: number;
  /** Whether an OpenAPI document of 100 operations is enforced by all that can. */
  readonly described: boolean;
  /** What is sent to be searched by the rules of the OWASP Core Rule Set; null: nothing is. */
  readonly searched: SearchedBody | null;
  /** Routes in postern's policy; the others have no notion of them. */
  readonly routes: number;
  /** Null: as much as the other core can send. */
  readonly ratePerSecond: number | null;
  /** Whether each contestant writes a line a request, in its own usual form, into a file. */
  readonly accessLog: boolean;
  /** Whether each decision is written into a record; only postern does that. */
  readonly recorded: boolean;
  /** Whether what the API is gets listed; only postern does that. */
  readonly inventory: boolean;
  /** Whether what is unusual is looked for; only postern does that. */
  readonly anomalies: boolean;
  /** Whether requests have an id and a trace, which exemplars of the metrics name; only postern does that. */
  readonly exemplars: boolean;
  /** Which share of requests is traced, `1%`, as the policy has it; only postern does that. Null: there is no tracing. */
  readonly traced: string | null;
  /** Whether a candidate, the same policy once more, judges one request in ten beside it; only postern does that. */
  readonly candidate: boolean;
}

/** `get`: a query; the others are bodies of 2 KB. */
export type SearchedBody = "get" | "json" | "form" | "multipart";

/** Client connections of the workload `connections`, where the limit on open files allows as many. */
export const IDLE_CONNECTIONS = 10_000;
export const TRANSFER_BYTES = 1024 ** 3;

/** What a policy may have beside its rules, each of which sees every request. */
const NO_FACILITIES = {
  accessLog: false,
  recorded: false,
  inventory: false,
  anomalies: false,
  exemplars: false,
  traced: null,
  candidate: false,
} as const;

/** The same work with nothing beside it. */
export function withoutFacilities(workload: Workload): Workload {
  return { ...workload, ...NO_FACILITIES };
}

export function hasFacility({
  accessLog,
  recorded,
  inventory,
  anomalies,
  exemplars,
  traced,
  candidate,
}: Workload): boolean {
  return accessLog || recorded || inventory || anomalies || exemplars || traced !== null || candidate;
}

const http1 = {
  ...NO_FACILITIES,
  protocol: "http/1.1",
  upstream: "http/1.1",
  work: "get",
  answer: "short",
  fields: false,
  leaks: false,
  contract: false,
  articles: 19,
  described: false,
  searched: null,
  routes: 1,
  ratePerSecond: null,
} as const;
const mtls = { ...http1, transport: "mtls" } as const;
const h2 = { ...http1, protocol: "h2", transport: "tls" } as const;
const described = { ...http1, transport: "plain", work: "post", described: true } as const;
const read = { ...http1, transport: "plain", policy: "forward" } as const;
const searched = { ...http1, transport: "plain", policy: "forward", work: "post" } as const;
/** A load that leaves every contestant idle most of the time: what a sidecar adds to a request on an ordinary day. */
const paced = { ...mtls, ratePerSecond: 2000 } as const;

export const WORKLOADS: readonly Workload[] = [
  { ...http1, name: "h1-plain-forward", transport: "plain", policy: "forward" },
  { ...mtls, name: "h1-mtls-forward", policy: "forward" },
  { ...mtls, name: "h1-mtls-full", policy: "full" },
  { ...mtls, name: "h1-mtls-post-2kb", policy: "full", work: "post" },
  { ...described, name: "h1-plain-openapi-post-2kb", policy: "forward" },
  { ...described, name: "h1-plain-openapi-post-1mib", policy: "forward", articles: 10_700 },
  { ...described, name: "h1-mtls-openapi-post-2kb-full", transport: "mtls", policy: "full" },
  { ...read, name: "h1-plain-answer-2kb", answer: "2kb" },
  { ...read, name: "h1-plain-answer-2kb-fields", answer: "2kb", fields: true },
  { ...read, name: "h1-plain-answer-2kb-leaks", answer: "2kb", leaks: true },
  { ...read, name: "h1-plain-answer-2kb-fields-leaks", answer: "2kb", fields: true, leaks: true },
  { ...read, name: "h1-plain-answer-2kb-contract", answer: "2kb", contract: true },
  { ...read, name: "h1-plain-answer-1mib", answer: "1mib" },
  { ...read, name: "h1-plain-answer-1mib-fields", answer: "1mib", fields: true },
  { ...read, name: "h1-plain-answer-1mib-leaks", answer: "1mib", leaks: true },
  { ...searched, name: "h1-plain-rules-get", work: "get", searched: "get" },
  { ...searched, name: "h1-plain-rules-json-2kb", searched: "json" },
  { ...searched, name: "h1-plain-rules-form-2kb", searched: "form" },
  { ...searched, name: "h1-plain-rules-multipart-2kb", searched: "multipart" },
  { ...mtls, name: "h1-mtls-forward-logged", policy: "forward", accessLog: true },
  { ...mtls, name: "h1-mtls-full-logged", policy: "full", accessLog: true },
  { ...mtls, name: "h1-mtls-full-recorded", policy: "full", recorded: true },
  { ...mtls, name: "h1-mtls-forward-inventory", policy: "forward", inventory: true },
  { ...mtls, name: "h1-mtls-full-inventory", policy: "full", inventory: true },
  { ...mtls, name: "h1-mtls-full-anomalies", policy: "full", anomalies: true },
  { ...mtls, name: "h1-mtls-full-exemplars", policy: "full", exemplars: true },
  { ...mtls, name: "h1-mtls-full-traced-1", policy: "full", traced: "1%" },
  { ...mtls, name: "h1-mtls-full-traced-100", policy: "full", traced: "100%" },
  { ...mtls, name: "h1-mtls-full-candidate", policy: "full", candidate: true },
  { ...h2, name: "h2-tls-forward", policy: "forward" },
  { ...h2, name: "h2-tls-full", policy: "full" },
  { ...h2, name: "h2-tls-forward-h2c", policy: "forward", upstream: "h2c" },
  { ...paced, name: "h1-mtls-forward-2000rps", policy: "forward" },
  { ...paced, name: "h1-mtls-full-2000rps", policy: "full" },
  { ...mtls, name: "h1-mtls-download-1gib", policy: "forward", work: "download" },
  { ...mtls, name: "h1-mtls-upload-1gib", policy: "forward", work: "upload" },
  { ...http1, name: "h1-tls-idle-connections", transport: "tls", policy: "forward", work: "connections" },
];

/** For time to ready and resident memory: what each can do of the full policy, postern's with a large table of routes. */
export const IDLE_WORKLOADS: readonly Workload[] = [
  { ...mtls, name: "full policy, 1,000 routes", policy: "full", routes: 1000 },
  { ...mtls, name: "full policy", policy: "full" },
  { ...mtls, name: "forward policy", policy: "forward" },
];
