/**
 * What other gateways fill in: `{{ jwt.tenant }}`, `${request.id}`, `$remote_addr` and `$host` (nginx), `$context.x` (AWS, Tyk),
 * `$(headers.x)` (Kong), `%[src]` (HAProxy), `%{x}e` (Apache), `%REQ(X)%` (Envoy), `#[x]` (MuleSoft), `@(x)` (Azure).
 */
const PLACEHOLDER = new RegExp(
  [
    /(?:\$\{|\{\{) *[A-Za-z_](?:\[[^\]]*\]|[\w.-])* *\}{1,2}/,
    /\$(?:[a-z]+[_.][a-z][\w.-]*|(?:host|uri|scheme|args)\b)/,
    /[$@]\([A-Za-z_][^()]*\)/,
    /[%#]\[[A-Za-z_][^\]]*\]/,
    /%\{[A-Za-z_][^}]*\}/,
    /%[A-Z][A-Z_]+(?:\([^)]*\))?%/,
  ]
    .map(({ source }) => source)
    .join("|"),
);

/** The first text in a header's value that stands where another gateway would fill in something, or undefined. */
export function placeholderIn(value: string): string | undefined {
  return PLACEHOLDER.exec(value)?.[0];
}

/** What is filled in here: `{jwt.tenant}`. */
const FILLED = /\{ *[A-Za-z_](?:\[[^\]]*\]|[\w.-])* *\}/;

/** Whether something of a header's value is filled in, and it has nothing of another gateway's spelling. */
export function isFilled(value: string): boolean {
  return FILLED.test(value) && placeholderIn(value) === undefined;
}

/** Whether a header of `settings.setHeaders`, as a policy has them, is. */
export function hasFilled(settings: unknown): boolean {
  if (typeof settings !== "object" || settings === null || !("setHeaders" in settings)) return false;
  const { setHeaders } = settings;
  return (
    typeof setHeaders === "object" &&
    setHeaders !== null &&
    Object.values(setHeaders).some((value) => typeof value === "string" && isFilled(value))
  );
}
