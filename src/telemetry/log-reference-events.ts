import type { EventName } from "./event-log.ts";

/** What a field is: for docs/log-fields.md, which `npm run generate` writes, and for tests that hold lines to it. */
export interface FieldDoc {
  readonly type: "text" | "number" | "boolean" | "list" | "object";
  /** As JSON. */
  readonly example: string;
  /** When it is there, where that is not always, and what it says. */
  readonly text: string;
}

interface EventDoc {
  readonly when: string;
  /** Names in `EVENT_FIELDS`. */
  readonly fields: readonly string[];
}

/** Every event of the process, in the order of the page. */
export const EVENTS_TOLD: Readonly<Record<EventName, EventDoc>> = {
  ready: {
    when: "ports are open and requests are served",
    fields: ["policyFile", "policyHash", "listeners", "admin", "probes", "metrics", "readyMs"],
  },
  reload: { when: "the policy was read again", fields: ["result", "policyHash", "changes", "problems", "retryAt"] },
  policy_kept: {
    when: "the start found a broken policy: the last good one is in force, or cannot be either",
    fields: ["keptAt", "problems", "policyHash"],
  },
  rollback: {
    when: "a change of the policy was taken back: the one before it is in force again",
    fields: ["cause", "why", "policyHash", "undoneHash", "changes"],
  },
  reload_waits: { when: "a changed file is still being written after 10 s, so nothing is loaded", fields: ["file"] },
  thread_held: {
    when: "one piece of work held the thread for 20 ms or more; at most a line a second",
    fields: ["by", "detail", "ms", "suppressed"],
  },
  warning: {
    when: "the policy holds something that looks like a mistake, or others may read its keys or write its files",
    fields: ["listener", "error"],
  },
  handshake_failed: {
    when: "TLS did not come about; at most ten lines a second",
    fields: ["listener", "reason", "client", "detail", "wanted", "suppressed"],
  },
  http2_fault: {
    when: "an HTTP/2 connection was given up for what its client sent; at most ten lines a second",
    fields: ["listener", "reason", "seen", "client", "suppressed"],
  },
  banned: {
    when: "somebody was refused too often; at most ten lines a second",
    fields: ["ban", "reason", "key", "id", "until", "count", "suppressed"],
  },
  anomaly: {
    when: "[something is unusual](anomalies.md), still is after an hour, or is no more",
    fields: [
      "id",
      "kind",
      "state",
      "operation",
      "policy",
      "caller",
      "client",
      "reason",
      "seen",
      "expected",
      "members",
      "since",
      "last",
      "examples",
      "advice",
    ],
  },
  admin_act: {
    when: "somebody asked at the admin port for something to be done; of those that come without the token or from another site at most ten lines a second. Beside its fields stands what was done, as the act names it, or what was asked for where that failed",
    fields: ["act", "result", "client", "fault", "suppressed"],
  },
  ladder_step: {
    when: "a check stands on another step of the [ladder](ladder.md) for a while, because somebody has set it; or not any more",
    fields: ["state", "check", "mode", "was", "until", "routes", "why"],
  },
  would_deny: {
    when: "a check that does not [enforce](ladder.md) would deny a caller for the first time, or for the first in a while; at most one line a second",
    fields: ["check", "policy", "rule", "reason", "caller", "route", "id", "suppressed"],
  },
  candidate: {
    when: "a [candidate](candidate.md) judges, has problems, or says something else for the first time on a route",
    fields: [
      "file",
      "candidateHash",
      "problems",
      "id",
      "method",
      "route",
      "live",
      "candidate",
      "policy",
      "caller",
      "suppressed",
    ],
  },
  connection_refused: {
    when: "a connection was closed before it could ask; at most a line a second and reason",
    fields: ["listener", "reason", "client", "seen", "suppressed"],
  },
  listener_error: {
    when: "a connection could not be accepted. Without `listener`: no file is left (`code` is `EMFILE` where the process has all it may, `ENFILE` where the machine has), and the system closes each connection that comes; raise `LimitNOFILE` or `ulimit -n`, or lower `maxConnections`",
    fields: ["listener", "code", "suppressed"],
  },
  watch_error: { when: "the system does not tell of changed files; polling goes on", fields: ["error"] },
  expired: {
    when: "a certificate or a revocation list of the policy has ended just now; what had ended before is a `warning` at each load",
    fields: ["file", "use", "subject", "issuer"],
  },
  resource: {
    when: "something that the policy depends on elsewhere has another state",
    fields: ["kind", "name", "state", "before", "detail", "fault", "staleUntil"],
  },
  state: {
    when: "a file of the state folder cannot be used; it is begun anew, or lives in memory",
    fields: ["directory", "file", "error"],
  },
  audit_head: {
    when: "newest line of the [audit log](logging.md#the-audit-log), a minute after lines came and at its end",
    fields: ["head"],
  },
  lines_left_out: {
    when: "more of something happened in a second than gets a line, and no line follows that says so: how many had none; of requests (`log.denialsPerSecond`) by reason",
    fields: ["lines", "of", "reasons"],
  },
  lines_dropped: {
    when: "lines had no room while nobody took them, and now somebody does",
    fields: ["where", "lines"],
  },
  shutdown: { when: "SIGTERM or SIGINT came, requests finish", fields: ["requestsInFlight", "drainTimeoutMs"] },
  stopped: { when: "the end", fields: ["requestsInFlight"] },
  crash: {
    when: "a defect of postern; the process ends with code 1, for its state is not known any more",
    fields: ["error"],
  },
};

/** What their fields say. */
export const EVENT_FIELDS: Readonly<Record<string, FieldDoc>> = {
  msg: { type: "text", example: '"policy loaded"', text: "The line in words. Of every one." },
  repeated: { type: "number", example: "12", text: "How often the same line was left out since it stood there last." },
  suppressed: {
    type: "number",
    example: "990",
    text: "How many lines like it were left out before it, for there were too many a second.",
  },
  policyFile: { type: "text", example: '"/etc/postern/policy.yaml"', text: "The policy." },
  policyHash: { type: "text", example: '"3f786850e387550f"', text: "Of the policy in force." },
  listeners: {
    type: "list",
    example: '[{"name":"inbound","address":"127.0.0.1:8443"}]',
    text: "Names, and addresses that are listened on.",
  },
  admin: { type: "text", example: '"127.0.0.1:9901"', text: "Address of the admin port; null without one." },
  probes: { type: "text", example: '"0.0.0.0:9902"', text: "Address of the port for probes; null without one." },
  metrics: { type: "text", example: '"127.0.0.1:9903"', text: "Address of the port for metrics, where it has one." },
  readyMs: { type: "number", example: "240", text: "Milliseconds from the start of the process." },
  result: {
    type: "text",
    example: '"ok"',
    text: "What became of it: of a load `ok`, `unchanged`, `refused`; of an act as in `postern_admin_acts_total`.",
  },
  changes: { type: "text", example: '"routes: 1 added"', text: "What the policy says otherwise than the one before." },
  problems: { type: "list", example: '["policy.yaml:3:1: unknown key"]', text: "Each as `file:line:column: text`." },
  retryAt: {
    type: "text",
    example: '"2026-12-01T09:30:05.000Z"',
    text: "When it is tried again by itself, as after a busy port.",
  },
  keptAt: { type: "text", example: '"2026-12-01T09:00:00.000Z"', text: "When the policy in force was kept." },
  cause: { type: "text", example: '"guard"', text: "Who took it back: `asked`, `guard`." },
  why: {
    type: "text",
    example: '"it denied too much"',
    text: "What the guard saw, or why a step ended; null where somebody asked.",
  },
  undoneHash: { type: "text", example: '"89e6c98d92887913"', text: "Of the policy that was taken back." },
  file: { type: "text", example: '"policy.yaml"', text: "The file that it is about." },
  listener: { type: "text", example: '"inbound"', text: "Name of the listener." },
  error: { type: "text", example: '"EACCES"', text: "What the system says; of a crash the stack." },
  reason: {
    type: "text",
    example: '"certificate_expired"',
    text: "Why, by one of a closed list: of a handshake, a connection or a denial.",
  },
  client: { type: "text", example: '"192.0.2.7"', text: "Address of the client." },
  detail: {
    type: "text",
    example: '"CERT_HAS_EXPIRED"',
    text: "More of it: what TLS said; the template of the route, or the stage of a reload; a state in the words of its kind.",
  },
  wanted: {
    type: "text",
    example: '"a certificate that is still valid"',
    text: "What a client certificate that is refused should have been, in words.",
  },
  seen: { type: "text", example: '"PING 21 of 20 a second"', text: "What was wrong." },
  ban: { type: "text", example: '"guesses"', text: "Name of the ban." },
  key: {
    type: "text",
    example: '"192.0.2.7"',
    text: "Whom it meets: the address, `authenticator/account`, or names and values of attributes as far as they may be shown.",
  },
  id: { type: "text", example: '"GwI_4cD4-3"', text: "Of the decision, as in the line of the request." },
  until: { type: "text", example: '"2026-12-01T09:45:00.000Z"', text: "When it ends." },
  count: { type: "number", example: "2", text: "The how many-th of late." },
  check: { type: "text", example: '"rate_limit"', text: "Name of the check." },
  policy: {
    type: "text",
    example: '"policy.yaml:31:7"',
    text: "Place of the check, `file:line:column`; of a candidate the place in it, or null.",
  },
  rule: { type: "text", example: '"routes[2].limit"', text: "Keys that lead there." },
  mode: {
    type: "text",
    example: '"audit"',
    text: "Step of the [ladder](ladder.md) that the check stands on, or stood: `off`, `audit`, `enforce: 5%`, `enforce`.",
  },
  was: { type: "text", example: '"enforce"', text: "The step that the policy says." },
  routes: { type: "list", example: '["/v1/orders"]', text: "Templates of the routes, at most 8." },
  caller: { type: "text", example: '"idp/alice"', text: "Who would have been denied, or does what is unusual." },
  route: { type: "text", example: '"/v1/orders/{orderId}"', text: "Template of the route." },
  candidateHash: { type: "text", example: '"89e6c98d92887913"', text: "Of the candidate." },
  method: { type: "text", example: '"GET"', text: "Method of the request." },
  live: { type: "text", example: '"allow"', text: "What the policy in force says: `allow`, or a reason." },
  candidate: { type: "text", example: '"scope_missing"', text: "What the candidate says." },
  act: { type: "text", example: '"/quotas/reset"', text: "What was asked for." },
  fault: { type: "text", example: '"connect ECONNREFUSED"', text: "Why it was not done, or the last failure." },
  code: { type: "text", example: '"EMFILE"', text: "The error of the system." },
  use: { type: "text", example: '"listener inbound"', text: "What a certificate or list is for." },
  subject: { type: "text", example: '"CN=orders"', text: "Of the certificate." },
  issuer: { type: "text", example: '"CN=partners"', text: "Of the revocation list." },
  kind: { type: "text", example: '"key set"', text: "What kind of resource or anomaly it is." },
  name: { type: "text", example: '"idp"', text: "Its name in the policy." },
  state: {
    type: "text",
    example: '"stale"',
    text: "Of a resource `starting`, `ready`, `stale`, `failing`; of an anomaly `begun`, `ongoing`, `ended`; of a step `set`, `ended`, and `stays` where it could not be ended in time.",
  },
  before: { type: "text", example: '"ready"', text: "The state before." },
  staleUntil: {
    type: "text",
    example: '"2026-12-01T10:30:00.000Z"',
    text: "How long what it has serves though it cannot be renewed.",
  },
  directory: { type: "text", example: '"/var/lib/postern"', text: "The state folder." },
  by: { type: "text", example: '"reload"', text: "What held the thread, as in `postern_thread_held_total`." },
  ms: { type: "number", example: "31", text: "For how many milliseconds." },
  head: { type: "text", example: '"42:9f86d0…"', text: "Number and hash of the newest line." },
  requestsInFlight: { type: "number", example: "3", text: "Requests that have begun and not ended." },
  drainTimeoutMs: { type: "number", example: "25000", text: "How long they may take." },
  lines: { type: "number", example: "19000", text: "How many lines there would have been." },
  of: { type: "text", example: '"request"', text: "The event that they would have been." },
  reasons: { type: "object", example: '{"rate_limited":19000}', text: "How many of each reason, most first." },
  where: { type: "text", example: '"standard output"', text: "`standard output` or `file`." },
  operation: {
    type: "text",
    example: '"GET /orders/{id}"',
    text: "Method and route of what is unusual; null where it is of no one operation.",
  },
  expected: { type: "text", example: '"0.4, at most 20"', text: "What is usual, and from where on it is told." },
  members: { type: "number", example: "0", text: "How many are told as this one; 0 where it is one." },
  since: { type: "text", example: '"2026-11-30T09:12:44.031Z"', text: "When it began." },
  last: { type: "text", example: '"2026-11-30T09:20:04.031Z"', text: "When it was seen last." },
  examples: { type: "list", example: '["kx3f9a2b-24"]', text: "Ids of requests." },
  advice: { type: "text", example: '"Look at the service."', text: "What to do." },
};
