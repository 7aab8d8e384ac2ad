import type { Place } from "../../decision/verdict.ts";
import { type Authenticator, NO_CREDENTIALS } from "../filter.ts";

/** Nobody's credentials are judged here: `authenticate` gives its principal to a request that brings none. */
export function anonymousAuthenticator(name: string, scopes: readonly string[], place: Place): Authenticator {
  const granted = new Set(scopes);
  return {
    name,
    type: "anonymous",
    place,
    challenge: null,
    credentialHeaders: [],
    scopes: granted,
    anonymous: Object.freeze({
      authenticator: name,
      type: "anonymous",
      id: "anonymous",
      key: `${name}/anonymous`,
      scopes: granted,
      claims: Object.freeze(Object.create(null)),
      expiresAtMs: Number.POSITIVE_INFINITY,
    }),
    authenticate: () => NO_CREDENTIALS,
    assume: () => NO_CREDENTIALS,
  };
}
