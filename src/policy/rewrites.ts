import type { RequestRules, ResponseRules } from "../filters/filter.ts";
import { buildRequestRewrite } from "../filters/request/evaluate.ts";
import { buildResponseRewrite } from "../filters/response/evaluate.ts";
import type { RewriteRequest, RewriteResponse } from "./snapshot.ts";

/** Rewrites by what they do: most routes of a policy have the same, and each remembers blocks that it has seen. */
export class Rewrites {
  readonly #requests = new Map<string, RewriteRequest>();
  readonly #responses = new Map<string, RewriteResponse>();

  request(rules: RequestRules, credentialHeaders: readonly string[]): RewriteRequest {
    return once(this.#requests, [rules, credentialHeaders], () => buildRequestRewrite(rules, credentialHeaders));
  }

  response(rules: ResponseRules): RewriteResponse {
    const parts = { ...rules, removeHeaders: [...rules.removeHeaders] };
    return once(this.#responses, parts, () => buildResponseRewrite(rules));
  }
}

function once<T>(known: Map<string, T>, parts: unknown, build: () => T): T {
  const key = JSON.stringify(parts);
  const found = known.get(key) ?? build();
  known.set(key, found);
  return found;
}
