import type { CallAnswer, CallRequest } from "../../calls/call.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { type JsonObject, parseJsonObject } from "../../support/json.ts";
import { err, ok, type Result } from "../../support/result.ts";
import type { EndpointToken } from "../endpoint-token.ts";
import { shown } from "../jwt/claims.ts";
import { parseToken } from "../jwt/token.ts";
import { type Introspected, type Protocol, saysJson } from "./protocol.ts";

export const TOKEN_REVIEWS = "https://kubernetes.default.svc/apis/authentication.k8s.io/v1/tokenreviews";

const API_VERSION = "authentication.k8s.io/v1";
/** Who an API server says that it does not know; no token makes somebody this, and some answer it for a bad one. */
const ANONYMOUS = { name: "system:anonymous", group: "system:unauthenticated" } as const;

export interface TokenReviewSettings {
  readonly endpoint: URL;
  /** Postern's own; it has to be allowed to create token reviews (system:auth-delegator). */
  readonly token: EndpointToken;
  readonly audiences: readonly string[];
}

/** TokenReview of the Kubernetes API: its server says whose a token is, of pods that are gone too. */
export class TokenReview implements Protocol {
  readonly #settings: TokenReviewSettings;

  constructor(settings: TokenReviewSettings) {
    this.#settings = settings;
  }

  question(token: string): Promise<Result<CallRequest, string>> {
    const { endpoint, token: own, audiences } = this.#settings;
    const read = own?.() ?? null;
    if (read?.ok === false) return Promise.resolve(err(`postern's own token ${read.error}`));
    const body = JSON.stringify({ apiVersion: API_VERSION, kind: "TokenReview", spec: { token, audiences } });
    const headers = {
      accept: "application/json",
      "content-type": "application/json",
      ...(read === null ? {} : { authorization: `Bearer ${read.value}` }),
    };
    return Promise.resolve(ok({ method: "POST", url: endpoint, headers, body }));
  }

  read(answer: CallAnswer, token: string): Result<Introspected, string> {
    const { status, body } = answer;
    if (status === 401) return err("status 401: the API server does not know postern's own token");
    if (status === 403) return err("status 403: postern may not create token reviews; expected system:auth-delegator");
    if (status !== 201 && status !== 200) return err(`status ${status}; expected 201`);
    if (!saysJson(answer)) return err("an answer that is not application/json");
    const json = parseJsonObject(body, DEFAULTS.jsonDepthMax);
    if (!json.ok) return err(`an answer that is ${json.error}`);
    const { apiVersion, kind, status: said } = json.value;
    if (kind !== "TokenReview" || apiVersion !== API_VERSION) {
      return err(
        `an answer of kind ${shown(kind ?? null)}, ${shown(apiVersion ?? null)}; expected a TokenReview of v1`,
      );
    }
    return isObject(said) ? this.#judge(said, token) : err("a TokenReview without a status");
  }

  #judge(status: JsonObject, token: string): Result<Introspected, string> {
    const { authenticated = false, error, user, audiences } = status;
    if (typeof authenticated !== "boolean") return err("'authenticated' that is not true or false");
    const isFault = error !== undefined && error !== "";
    if (authenticated && isFault) return err("'authenticated' and an 'error' at once");
    if (!authenticated) {
      // An API server says so of each token that it cannot read, so it is about the token.
      const words = isFault && typeof error === "string" && !error.includes(token) ? `, ${shown(error)}` : "";
      return ok({ inactive: `authenticated: false${words}` });
    }
    if (!isObject(user) || typeof user["username"] !== "string") return err("'authenticated' without a user's name");
    const { username, uid, groups = [], extra = {} } = user;
    if (!isTexts(groups)) return err("groups that are no list of texts");
    if (username === ANONYMOUS.name || groups.includes(ANONYMOUS.group)) {
      return ok({ inactive: `user ${shown(username)}` });
    }
    // Without them the server does not look at audiences, and every token of the cluster is good to it.
    if (audiences !== undefined && !isTexts(audiences)) return err("audiences that are no list of texts");
    if (!isObject(extra)) return err("'extra' that is no object");
    const claims = { sub: username, uid, groups, aud: audiences ?? [], extra, exp: endOf(token) };
    const named = Object.entries(claims).filter(([, value]) => value !== undefined);
    return ok({ claims: Object.freeze(Object.assign(Object.create(null), Object.fromEntries(named))) });
  }
}

/** The answer does not say when the token ends. The token does, and the server has just called it good. */
function endOf(token: string): unknown {
  const read = parseToken(token, DEFAULTS.tokenBytesMax);
  return read.ok ? read.value.claims["exp"] : undefined;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}
