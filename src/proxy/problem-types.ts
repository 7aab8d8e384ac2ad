import type { Reason } from "../decision/reason.ts";

/** What a problem is, for whoever reads `type` (RFC 9457 section 3.1). */
export interface ProblemType {
  readonly type: string;
  readonly title: string;
}

const named = (name: string, title: string): ProblemType => ({
  type: `https://iana.org/assignments/http-problem-types#${name}`,
  title,
});
const QUOTA = named("quota-exceeded", "A quota policy is exceeded");
const CAPACITY = named("temporary-reduced-capacity", "The capacity is reduced for now");
const ABNORMAL = named("abnormal-usage-detected", "Abnormal usage was detected");

/** Those of draft-ietf-httpapi-ratelimit-headers; any other reason says no more than its status. */
export const PROBLEM_TYPES: Readonly<Partial<Record<Reason, ProblemType>>> = {
  rate_limited: QUOTA,
  quota_exceeded: QUOTA,
  budget_exceeded: QUOTA,
  bandwidth_exceeded: QUOTA,
  concurrency_limited: QUOTA,
  distinct_exceeded: QUOTA,
  concurrency_full: CAPACITY,
  queue_timeout: CAPACITY,
  overloaded: CAPACITY,
  banned: ABNORMAL,
  attempts_exceeded: ABNORMAL,
};
