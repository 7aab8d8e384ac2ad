/**
 * What a policy loads that asks anything of its clients: from where they come, who they are, what they may and how often. It
 * is one part of the bundle, on which those for fewer policies stand.
 */
export { addressFilter } from "./address/compile.ts";
export { anonymousKind } from "./anonymous/compile.ts";
export { authenticateFilter } from "./authenticate/compile.ts";
export { authorizeFilter } from "./authorize/compile.ts";
export { ruleSchema } from "./authorize/schema.ts";
export { clientCertificateKind } from "./client-certificate/compile.ts";
export { limitFilter } from "./limit/compile.ts";
export { rateKind } from "./limit/kind-rate.ts";
export { undeclaredFilter } from "./undeclared/compile.ts";
