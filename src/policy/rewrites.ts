import { MethodParameters } from "../bodies/method-parameters.ts";
import type { RequestRules, ResponseRules } from "../filters/filter.ts";
import { buildRequestRewrite, buildRequestTrailerRewrite } from "../filters/request/evaluate.ts";
import { Passage } from "../filters/request/passage.ts";
import { buildResponseRewrite, buildResponseTrailerRewrite } from "../filters/response/evaluate.ts";
import type { RewriteRequest, RewriteResponse, RewriteTrailers } from "./snapshot.ts";

/** What carries credentials and comes off on the way to the service. */
export interface Credentials {
  /** Lower case. */
  readonly headers: readonly string[];
  readonly cookies: readonly string[];
  /** Tokens among the sub-protocols of WebSockets. */
  readonly protocols: boolean;
}

/** Rewrites, and what else requests are rewritten for, by what they do: most routes of a policy have the same, and each remembers blocks that it has seen. */
export class Rewrites {
  readonly #passages = new Map<string, Passage>();
  readonly #requests = new Map<string, RewriteRequest>();
  readonly #responses = new Map<string, RewriteResponse>();
  readonly #methodParameters = new Map<string, MethodParameters | null>();
  readonly #trailers = new Map<string, RewriteTrailers>();

  passage(rules: RequestRules, credentials: Credentials): Passage {
    const { headers, cookies, protocols } = credentials;
    return once(this.#passages, [rules, credentials], () => new Passage(rules, headers, cookies, protocols));
  }

  request(rules: RequestRules, credentials: Credentials): RewriteRequest {
    const build = () => buildRequestRewrite(rules, this.passage(rules, credentials));
    return once(this.#requests, [rules, credentials], build);
  }

  methodParameters({ methodParameters: names }: RequestRules): MethodParameters | null {
    return once(this.#methodParameters, names, () => (names.length === 0 ? null : new MethodParameters(names)));
  }

  response(rules: ResponseRules): RewriteResponse {
    const parts = { ...rules, removeHeaders: [...rules.removeHeaders] };
    return once(this.#responses, parts, () => buildResponseRewrite(rules));
  }

  trailers(request: RequestRules, credentials: Credentials, response: ResponseRules): RewriteTrailers {
    const parts = [request, credentials, { ...response, removeHeaders: [...response.removeHeaders] }];
    return once(this.#trailers, parts, () => ({
      request: buildRequestTrailerRewrite(this.passage(request, credentials)),
      response: buildResponseTrailerRewrite(response),
    }));
  }
}

function once<T>(known: Map<string, T>, parts: unknown, build: () => T): T {
  const key = JSON.stringify(parts);
  const found = known.get(key) ?? build();
  known.set(key, found);
  return found;
}
