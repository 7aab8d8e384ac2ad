import type { AttributeName } from "../attributes/attribute.ts";
import type { Path } from "./path.ts";

/** A header of `identity.headers`, or a member of `identity.token`: what it is to say, whatever the route. */
export interface IdentitySetting {
  readonly name: string;
  readonly attribute: AttributeName;
  readonly path: Path;
  /** Whether some route has what it says. */
  isUsed: boolean;
}

/** Where something is written. */
export interface RoutePlace {
  readonly template: string;
  /** Names of its path's parameters; null where it has no path that can be read. */
  readonly parameters: readonly string[] | null;
}
