import { compileBans } from "./compile-bans.ts";
import { readCandidate } from "./compile-candidate.ts";
import { compileGeo } from "./compile-geo.ts";
import { readGuard } from "./compile-guard.ts";
import { checkIdentity, compileIdentity } from "./compile-identity.ts";
import { readLadder } from "./compile-ladder.ts";
import { compilePlans } from "./compile-plans.ts";
import { readRequestId } from "./compile-request-id.ts";
import { compileRevoked } from "./compile-revoked.ts";
import { buildVersions, readVersions } from "./compile-versions.ts";
import { describeResources, readResources } from "./resource-metadata.ts";

/** What a policy loads that has one of the sections that few have, or more of certificates than files: one part of the bundle. */
export { compileForwardedCertificates } from "./compile-forwarded-certificates.ts";
export { compileHealthCheck, compileServiceProbes } from "./compile-health.ts";
export { identityLines } from "./compile-identity.ts";
export { workloadIdentity } from "./compile-workload.ts";
export { readBundles } from "./read-bundles.ts";
export { leadToResource } from "./resource-metadata.ts";
export { readRevocationLists } from "./revocation-lists.ts";

/** Stages, by name. */
export const sectionStages = {
  readLadder,
  readCandidate,
  readGuard,
  readResources,
  compileIdentity,
  compilePlans,
  compileBans,
  compileRevoked,
  readRequestId,
  compileGeo,
  readVersions,
  buildVersions,
  describeResources,
  checkIdentity,
};
