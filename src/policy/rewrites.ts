import { MethodParameters } from "../bodies/method-parameters.ts";
import type { RequestRules, ResponseRules } from "../filters/filter.ts";
import { buildRequestRewrite, buildRequestTrailerRewrite } from "../filters/request/evaluate.ts";
import { Passage } from "../filters/request/passage.ts";
import { buildResponseRewrite, buildResponseTrailerRewrite } from "../filters/response/evaluate.ts";
import type { RewriteRequest, RewriteResponse, RewriteTrailers } from "./snapshot.ts";

/** Rewrites, and what else requests are rewritten for, by what they do: most routes of a policy have the same, and each remembers blocks that it has seen. */
export class Rewrites {
  readonly #passages = new Map<string, Passage>();
  readonly #requests = new Map<string, RewriteRequest>();
  readonly #responses = new Map<string, RewriteResponse>();
  readonly #methodParameters = new Map<string, MethodParameters | null>();
  readonly #trailers = new Map<string, RewriteTrailers>();

  passage(rules: RequestRules, credentialHeaders: readonly string[]): Passage {
    return once(this.#passages, [rules, credentialHeaders], () => new Passage(rules, credentialHeaders));
  }

  request(rules: RequestRules, credentialHeaders: readonly string[]): RewriteRequest {
    const build = () => buildRequestRewrite(rules, this.passage(rules, credentialHeaders));
    return once(this.#requests, [rules, credentialHeaders], build);
  }

  methodParameters({ methodParameters: names }: RequestRules): MethodParameters | null {
    return once(this.#methodParameters, names, () => (names.length === 0 ? null : new MethodParameters(names)));
  }

  response(rules: ResponseRules): RewriteResponse {
    const parts = { ...rules, removeHeaders: [...rules.removeHeaders] };
    return once(this.#responses, parts, () => buildResponseRewrite(rules));
  }

  trailers(request: RequestRules, credentialHeaders: readonly string[], response: ResponseRules): RewriteTrailers {
    const parts = [request, credentialHeaders, { ...response, removeHeaders: [...response.removeHeaders] }];
    return once(this.#trailers, parts, () => ({
      request: buildRequestTrailerRewrite(this.passage(request, credentialHeaders)),
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
