import { parse, stringify } from "yaml";
import { type Files, policyWith } from "./policy-kit.ts";

export const PAGE_FILES: Files = {
  "keys.yaml": `callers: [{ name: acme, keys: [{ sha256: "${"ab".repeat(32)}" }] }]`,
};

/** A part of a policy, as a page shows it → the whole: each route says who may use it. */
export function policyOfPage(text: string): string {
  const { routes } = parse(text) as { routes: Record<string, unknown>[] };
  const whole = {
    authenticators: { partners: { type: "api-key", header: "X-Api-Key", keys: "keys.yaml" } },
    routes: routes.map((route) => ("authenticate" in route ? route : { public: true, ...route })),
  };
  return policyWith(stringify(whole, { aliasDuplicateObjects: false }));
}
