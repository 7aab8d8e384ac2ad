import type { AttributeName } from "../attributes/attribute.ts";
import type { Path } from "./path.ts";

/** A header of `identity.headers`: what it is to say, whatever the route. */
export interface IdentitySetting {
  readonly name: string;
  readonly attribute: AttributeName;
  readonly path: Path;
  /** Whether some route has what it says. */
  isUsed: boolean;
}
