/**
 * What a policy loads that has an authenticator of these types, or a decision service: one part of the bundle. Each in a part of
 * its own made 30 small ones of what they share with the rest, and 45 ms of every start.
 */
export { apiKeyKind } from "./api-key/compile.ts";
export { basicKind } from "./basic/compile.ts";
export { compileDecide, compileDecisionService, decideSchema, decisionServiceSchema } from "./decide/compile.ts";
export { introspectionKind } from "./introspection/compile.ts";
export { jwtKind } from "./jwt/compile.ts";
export { parseToken } from "./jwt/token.ts";
export { signatureKind } from "./signature/compile.ts";
