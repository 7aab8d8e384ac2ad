/** What the tree needs of a route; see policy/snapshot.ts for the rest. */
export interface RoutePattern {
  readonly template: string;
  readonly methods: readonly string[];
  readonly hosts: readonly string[];
}

/** Found, or why not: nothing at this path, or another method would be. */
export type RouteMatch<R> =
  | { readonly kind: "found"; readonly route: R; readonly params: Readonly<Record<string, string>> }
  | { readonly kind: "method_not_allowed"; readonly allow: string }
  | { readonly kind: "not_found" };

export interface RouteTree<R> {
  /** `host` in lower case without port, `method` as received, `path` canonical (message/target.ts). */
  match(host: string, method: string, path: string): RouteMatch<R>;
}
