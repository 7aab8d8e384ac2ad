import type { RequestPart } from "../filters/filter.ts";

/** What a route takes, and of whom. */
export interface DescribedRoute {
  readonly template: string;
  /** Empty means the usual ones. */
  readonly methods: readonly string[];
  readonly isPublic: boolean;
  readonly hosts: readonly string[];
  /** Names of those that it asks. */
  readonly authenticators: ReadonlySet<string>;
  /** That some rule of it names. */
  readonly scopes: ReadonlySet<string>;
  /** As the policy has it. */
  readonly authorize: unknown;
  readonly parts: readonly RequestPart[];
}

/** A policy as who makes requests of it needs it; `authenticators` and `roles` as it has them. */
export interface DescribedPolicy {
  readonly routes: readonly DescribedRoute[];
  readonly authenticators: unknown;
  readonly roles: unknown;
}
