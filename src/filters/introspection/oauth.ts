import type { ClientAuth } from "oauth4webapi";
import type { CallAnswer, CallRequest } from "../../calls/call.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { parseJsonObject } from "../../support/json.ts";
import { err, ok, type Result } from "../../support/result.ts";
import { type Introspected, type Protocol, saysJson } from "./protocol.ts";

export interface OAuthSettings {
  readonly endpoint: URL;
  /** Whom an assertion is for. */
  readonly issuer: string;
  readonly clientId: string;
  readonly clientAuth: ClientAuthSettings;
}

/** Secrets as bytes; they go nowhere but into the request to the provider. */
export type ClientAuthSettings =
  | { readonly method: "basic" | "post"; readonly secret: string }
  | { readonly method: "privateKey"; readonly key: CryptoKey }
  | { readonly method: "mtls" };

/** OAuth 2.0 Token Introspection (RFC 7662). */
export class OAuthIntrospection implements Protocol {
  readonly #settings: OAuthSettings;

  constructor(settings: OAuthSettings) {
    this.#settings = settings;
  }

  async question(token: string): Promise<Result<CallRequest, string>> {
    const { endpoint, issuer, clientId, clientAuth } = this.#settings;
    const body = new URLSearchParams({ token, token_type_hint: "access_token" });
    const headers = new Headers({
      accept: "application/json",
      "content-type": "application/x-www-form-urlencoded",
    });
    try {
      await (await clientAuthOf(clientAuth))(
        { issuer, introspection_endpoint: endpoint.href },
        { client_id: clientId },
        body,
        headers,
      );
    } catch {
      return err("postern's own credentials cannot be used");
    }
    return ok({ method: "POST", url: endpoint, headers: Object.fromEntries(headers), body: body.toString() });
  }

  read(answer: CallAnswer): Result<Introspected, string> {
    const { status, body } = answer;
    if (status === 401 || status === 403) return err(`status ${status}: the provider does not know postern`);
    if (status !== 200) return err(`status ${status}; expected 200`);
    if (!saysJson(answer)) return err("an answer that is not application/json");
    const json = parseJsonObject(body, DEFAULTS.jsonDepthMax);
    if (!json.ok) return err(`an answer that is ${json.error}`);
    const { active } = json.value;
    // RFC 7662 section 2.2: a boolean. Whoever writes "true" may write "false" too, which is true to a careless reader.
    if (typeof active !== "boolean") return err("an answer without 'active' as true or false");
    return ok(active ? { claims: json.value } : { inactive: "active: false" });
  }
}

async function clientAuthOf(settings: ClientAuthSettings): Promise<ClientAuth> {
  const oauth = await import("oauth4webapi");
  switch (settings.method) {
    case "basic":
      return oauth.ClientSecretBasic(settings.secret);
    case "post":
      return oauth.ClientSecretPost(settings.secret);
    case "privateKey":
      return oauth.PrivateKeyJwt(settings.key);
    case "mtls":
      return oauth.TlsClientAuth();
  }
}
