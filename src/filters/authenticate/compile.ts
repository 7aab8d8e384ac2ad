import { type Authenticator, defineFilter, type RouteContext } from "../filter.ts";
import { AuthenticateCheck } from "./evaluate.ts";
import { type AuthenticateSettings, authenticateSchema } from "./schema.ts";

export const authenticateFilter = defineFilter<AuthenticateSettings>({
  name: "authenticate",
  defaults: "override",
  schema: authenticateSchema,
  compile: (settings, context) => {
    // A public route does not take over the authenticators of the defaults.
    if (context.isPublic) return;
    const { any, mode = 100 } = Array.isArray(settings) ? { any: settings } : settings;
    const authenticators = resolve(any, Array.isArray(settings) ? [] : ["any"], context);
    context.addCheck(new AuthenticateCheck(authenticators, context.place(), mode));
    context.addCredentialHeaders(authenticators.flatMap(({ credentialHeaders }) => credentialHeaders));
  },
});

function resolve(names: readonly string[], path: readonly string[], context: RouteContext): Authenticator[] {
  const found: Authenticator[] = [];
  const seen = new Set<string>();
  for (const [at, name] of names.entries()) {
    const authenticator = context.authenticators.get(name);
    if (seen.has(name)) context.problem(`authenticator '${name}' is named twice`, ...path, at);
    else if (authenticator !== undefined) found.push(authenticator);
    else if (!context.isDefined("authenticators", name)) context.problem(undefinedName(name, context), ...path, at);
    seen.add(name);
  }
  return found;
}

function undefinedName(name: string, context: RouteContext): string {
  return `authenticator '${name}' is not defined; ${context.hint("authenticators", name)}`;
}
