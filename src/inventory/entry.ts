import type { DocumentPlace } from "./declared.ts";
import type { OperationUse } from "./operation-use.ts";

/** What an operation is; closed. */
export const STATUSES = [
  "used", // declared, and the service answers it
  "dead", // declared, and it was never answered
  "undeclared", // the service answers it, and nothing declares it
  "probed", // nothing declares it, and nothing is there
] as const;

export type Status = (typeof STATUSES)[number];

export interface Entry {
  readonly status: Status;
  /** `*`: any of the usual ones, of a route that nobody has asked for. */
  readonly method: string;
  readonly path: string;
  /** The same without the names of its parameters. */
  readonly shape: string;
  /** Template of the route that takes it. */
  readonly route: string;
  readonly versions: readonly string[];
  readonly hosts: readonly string[];
  /** `file:line:column` of what declares it; null for nothing. */
  readonly declared: string | null;
  /** Null where no OpenAPI document declares it. */
  readonly document: DocumentPlace | null;
  readonly isDeprecated: boolean;
  /** Null where nobody has asked for it. */
  readonly use: OperationUse | null;
}
