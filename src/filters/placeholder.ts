/** What other gateways fill in, as `{claims.sub}`, `{{ jwt.tenant }}` or `${request.id}`. */
const PLACEHOLDER = /\$?\{{1,2} *[A-Za-z_][\w.-]*(?:\[[^\]]*\])? *\}{1,2}/;

/** The first text in a header's value that stands where another gateway would fill in something, or undefined. */
export function placeholderIn(value: string): string | undefined {
  return PLACEHOLDER.exec(value)?.[0];
}
