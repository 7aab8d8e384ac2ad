import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { REASONS } from "../../src/decision/reason.ts";
import { HTTP1_CLOSE_REASONS } from "../../src/http1/close-reason.ts";
import { listenerShape, upstreamShape } from "../../src/policy/schema.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { CONNECTION_REFUSALS, HANDSHAKE_FAILURES } from "../../src/telemetry/telemetry.ts";

const page = readFileSync(resolve(import.meta.dirname, "../../docs/limits.md"), "utf8");

const CONNECTIONS = [...CONNECTION_REFUSALS, ...HTTP1_CLOSE_REASONS];

/** Rows of the table under a heading: key, default, what, reasons, status. */
function rowsOf(heading: string): string[][] {
  const section = page.split(`## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  const rows = section.split("\n").filter((line) => line.startsWith("| `"));
  return rows.map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const isLimit = (key: string): boolean => /Timeout$|^max|^body|Duration$/.test(key);

describe.each([
  ["Of the client", listenerShape],
  ["Of the service", upstreamShape],
] as const)("docs/limits.md, '%s'", (heading, shape) => {
  const rows = rowsOf(heading);

  test("has every limit of the language, and no other", () => {
    expect(rows.map(([key]) => key?.replaceAll("`", "")).sort()).toEqual(Object.keys(shape).filter(isLimit).sort());
  });

  test("gives the defaults that the language gives", () => {
    for (const [cell = "", value = ""] of rows) {
      const key = cell.replaceAll("`", "") as keyof typeof shape;
      const { description = "" } = shape[key] as { readonly description?: string };
      const said = value === "none" ? "Unlimited if absent" : value.replace(/^half/, "Half").replaceAll("`", "");
      expect(description, key).toContain(said);
    }
  });

  test("names reasons that exist, with their status", () => {
    for (const row of rows) expectReasons(row);
  });
});

function expectReasons([key, , , reasons = "", statuses = ""]: string[]): void {
  const known: readonly string[] = [...Object.keys(REASONS), ...CONNECTIONS, ...HANDSHAKE_FAILURES];
  for (const [at, [, reason = ""]] of [...reasons.matchAll(/`(\w+)`/g)].entries()) {
    expect(known, key).toContain(reason);
    const status = statuses.split(/, | or /)[at] ?? statuses;
    if (/^\d+$/.test(status)) expect(REASONS[reason as keyof typeof REASONS].status, key).toBe(Number(status));
  }
}

test("docs/limits.md, 'Of a route', names reasons that exist, and the sizes that hold", () => {
  const rows = rowsOf("Of a route");
  for (const row of rows) expectReasons(row);
  const mebi = (bytes: number) => `${bytes / 1024 / 1024}MiB`;
  const defaults = Object.fromEntries(rows.map(([key = "", value]) => [key.replaceAll("`", ""), value]));
  expect(defaults).toEqual({
    "validate.body.maxBytes": `${mebi(DEFAULTS.bodyBytesMax)}; ${mebi(DEFAULTS.bodyInspectedBytesMax)} with a schema`,
    "validate.maxInflation": `${DEFAULTS.inflationMax}`,
    "validate.form.maxBytes": mebi(DEFAULTS.bodyBytesMax),
    "validate.form.maxParts": `${DEFAULTS.formPartsMax}`,
    "validate.form.maxFieldBytes": `${DEFAULTS.formFieldBytesMax / 1024}KiB`,
    "validate.form.maxFieldsBytes": mebi(DEFAULTS.formFieldsBytesMax),
    "validate.form.files.*.maxBytes": "what the form has left",
    "validate.body.content.*.parts.maxBytes": mebi(DEFAULTS.bodyBytesMax),
    "validate.body.content.*.parts.maxParts": `${DEFAULTS.formPartsMax}`,
    "validate.body.content.*.parts.maxHeldBytes": mebi(DEFAULTS.formFieldBytesLimit),
    "validate.body.content.*.parts.*.maxBytes": "what the body has left",
    "validate.body.items.maxBytes": `${DEFAULTS.itemBytesMax / 1024}KiB`,
    "validate.body.items.maxCount": `${DEFAULTS.itemsMax}`,
    "websocket.maxFrame": mebi(DEFAULTS.websocketFrameBytesMax),
    "websocket.maxLifetime": "none",
    limit: "none",
  });
});

test("docs/limits.md, 'The same for everybody', names sizes and times that hold", () => {
  const section = page.split("## The same for everybody\n")[1]?.split("\n## ")[0] ?? "";
  const { chunkHeadBytesMax, trailerBytesMax, informationalMax, h2StreamsMax } = DEFAULTS;
  const { pipelineBytesMax, tokenBytesMax, bodiesInspectedBytesMax, lastingStreamsMax, lingerTimeoutMs } = DEFAULTS;
  const kibi = (bytes: number) => `${bytes / 1024} KiB`;
  const mebi = (bytes: number) => `${bytes / 1024 / 1024} MiB`;
  const rows = section.split("\n").filter((line) => line.startsWith("| ") && !line.startsWith("| what"));
  expect(rows.map((line) => line.split("|")[2]?.trim())).toEqual([
    `${chunkHeadBytesMax} B; ${kibi(trailerBytesMax)}`,
    `${informationalMax}`,
    `${h2StreamsMax}`,
    kibi(pipelineBytesMax),
    `${kibi(tokenBytesMax)} (\`maxTokenBytes\` of the authenticator)`,
    mebi(DEFAULTS.provenBodyBytesMax),
    `${kibi(DEFAULTS.proofBytesMax)}; ${DEFAULTS.proofIdBytesMax} B`,
    `${DEFAULTS.rsaKeyBitsMin.toLocaleString("en")} to ${DEFAULTS.proofKeyBitsMax.toLocaleString("en")} bits`,
    `${DEFAULTS.proofNonceMs / 60_000} min`,
    `${DEFAULTS.revokedEntriesMax}; ${DEFAULTS.revokedTextMax}; ${DEFAULTS.revokedAlikeMax}`,
    `${kibi(DEFAULTS.keySetBytesMax)}, ${DEFAULTS.tokenKeysMax} keys; fresh for ${DEFAULTS.keySetFreshMsMin / 60_000} minute to ${DEFAULTS.keySetFreshMsMax / 3_600_000} hour, kept for ${DEFAULTS.keySetStaleMsMax / 3_600_000} hours`,
    `one in ${DEFAULTS.keySetRefetchMs / 1000} s for each set`,
    `${DEFAULTS.waitingRequestsMax}; ${DEFAULTS.keySetWaitMs / 1000} s`,
    `${DEFAULTS.rateKeysMax}, 26 MiB`,
    `${DEFAULTS.storeTimeoutMs} ms; ${DEFAULTS.storeConnectMs / 1000} s`,
    `${DEFAULTS.storeGroupsMax}; ${DEFAULTS.storeGroupsPerCall}; ${DEFAULTS.storeCallsMax}`,
    `${DEFAULTS.storeOverKeysMax}, ${DEFAULTS.storeOverMsMax / 1000} s; ${DEFAULTS.storeLeasesMax}, ${DEFAULTS.storeLeaseMs / 1000} s`,
    `${mebi(DEFAULTS.budgetInflatedBytesMax)}; ${mebi(DEFAULTS.budgetInflateBacklogBytesMax)}`,
    `${DEFAULTS.budgetJsonDepthMax}; ${DEFAULTS.budgetPathSegmentsMax}; ${DEFAULTS.budgetFiguresMax}`,
    `${DEFAULTS.distinctLimitMax}; ${mebi(DEFAULTS.distinctBytesMax)}`,
    `${DEFAULTS.expressionCharsMax}; ${DEFAULTS.expressionNodesMax}; ${DEFAULTS.expressionDepthMax}`,
    `${DEFAULTS.expressionStepsMax}; ${DEFAULTS.expressionItemsMax}; ${DEFAULTS.expressionTextMax}`,
    `${DEFAULTS.attributeItemsMax}; ${DEFAULTS.attributeMembersMax}`,
    kibi(DEFAULTS.identityHeaderBytesMax),
    `${DEFAULTS.resourceMetadataAgeSeconds / 60} min; ${DEFAULTS.resourceNameCharactersMax} characters`,
    `${bodiesInspectedBytesMax / 1024 / 1024} MiB`,
    `${mebi(DEFAULTS.schemaWorkWarnedBytes)}, ${DEFAULTS.schemaWorkBytesMax / 1024 ** 3} GiB`,
    `${kibi(DEFAULTS.bodyAtOnceBytesMax)}; ${DEFAULTS.bodySliceMs} ms, ${DEFAULTS.turnSharedMs} ms while others are served; ${DEFAULTS.longBodyWaitMsMax / 1000} s`,
    `${DEFAULTS.limitWaitingMax}; its head and ${kibi(DEFAULTS.memoryWaitingRequestBytes)}`,
    `${DEFAULTS.queueLength}, at most ${DEFAULTS.queueLengthMax}; ${DEFAULTS.queueTimeoutMs / 1000}s, at most ${DEFAULTS.queueTimeoutMsMax / 1000}s`,
    `${DEFAULTS.adaptiveKeysMax}`,
    `${lastingStreamsMax}`,
    `${lingerTimeoutMs / 1000} s, ${kibi(DEFAULTS.lingerBytesMax)}`,
    `${DEFAULTS.lingerUploadTimeoutMs / 1000} s, ${mebi(DEFAULTS.lingerUploadBytesMax)}; ${DEFAULTS.lingerUploadsMax} connections at a time`,
    `${DEFAULTS.chainCertificatesMax}; ${DEFAULTS.chainSignaturesMax}`,
    `${kibi(DEFAULTS.forwardedCertificateBytesMax)}; ${DEFAULTS.forwardedCertificatesMax}; ${DEFAULTS.forwardedCertificateMs / 1000} s`,
    kibi(DEFAULTS.certificateLinesBytesMax),
    `${mebi(DEFAULTS.workloadMessageBytesMax)}; ${DEFAULTS.workloadAnswerMs / 1000} s; ${DEFAULTS.workloadRetryMsMin / 1000} s to ${DEFAULTS.workloadRetryMsMax / 1000} s`,
    `${mebi(DEFAULTS.bundleBytesMax)}; ${DEFAULTS.bundleCertificatesMax}`,
    `${DEFAULTS.trustBundlesMax}; ${DEFAULTS.revocationFilesMax}`,
    `${DEFAULTS.alertLingerMs / 1000} s`,
    `${DEFAULTS.websocketCloseTimeoutMs / 1000} s`,
    `${DEFAULTS.drainTimeoutMs / 1000} s`,
    `${DEFAULTS.adminConnectionsMax}; ${DEFAULTS.probeConnectionsMax}, each for ${DEFAULTS.probeTimeoutMs / 1000} s`,
    `${DEFAULTS.serviceProbesMax}; each is asked once a second at most, for ${DEFAULTS.serviceProbeTimeoutMs / 1000} s (\`timeout\`)`,
    `one at a time, ${DEFAULTS.healthCheckTimeoutMs / 1000} s (\`timeout\`), ${kibi(DEFAULTS.healthAnswerBytesMax)} of its answer`,
  ]);
});

test("docs/limits.md, 'Of who asks', names sizes and times that hold, and reasons with their status", () => {
  const section = page.split("## Of who asks\n")[1]?.split("\n## ")[0] ?? "";
  const rows = section.split("\n").filter((line) => line.startsWith("| ") && !line.startsWith("| what"));
  const { passwordAddressFailures: ofAddress, passwordUserFailures: ofUser, passwordWaitMsMax } = DEFAULTS;
  const { passwordsVerifiedMax, passwordsWaitingMax, passwordsWaitingPerAddressMax } = DEFAULTS;
  const hours = (ms: number) => `${ms / 3_600_000} h`;
  const kibi = (bytes: number) => `${bytes / 1024} KiB`;
  const mebi = (bytes: number) => `${bytes / 1024 / 1024} MiB`;
  expect(rows.map((line) => line.split("|")[2]?.trim())).toEqual([
    `${DEFAULTS.apiKeyBytesMax} B; ${DEFAULTS.apiKeysMax}`,
    `${DEFAULTS.usersMax}`,
    `${passwordsVerifiedMax}; ${passwordsWaitingMax}, ${passwordsWaitingPerAddressMax}, ${passwordWaitMsMax / 1000} s`,
    `${ofAddress.burst}, ${ofAddress.perMinute}; ${ofUser.burst}, ${ofUser.perMinute}`,
    `${DEFAULTS.passwordFailureKeys}`,
    `${DEFAULTS.passwordCachedMs / 60_000} min; ${hours(DEFAULTS.passwordRecalledMs)}`,
    `${DEFAULTS.credentialUsesMax}`,
    `${DEFAULTS.banRulesMax}`,
    `${DEFAULTS.bansMax}; ${DEFAULTS.banRoomMin}; ${hours(DEFAULTS.banMsMax)}`,
    `${DEFAULTS.banOverflowKeys}`,
    `${DEFAULTS.banFailureKeys}; ${DEFAULTS.banGoodKeys}`,
    `${DEFAULTS.websocketOriginsMax}`,
    `${DEFAULTS.tokenKeyTriesMax}`,
    `${DEFAULTS.tokenCacheEntriesMax}; ${mebi(DEFAULTS.tokenCacheBytesMax)}`,
    `${DEFAULTS.signaturesMax}; ${DEFAULTS.signatureComponentsMax}; ${DEFAULTS.signatureKeysMax}`,
    `${DEFAULTS.callsUnderWayMax}; ${DEFAULTS.callConnectionsMax}`,
    `${DEFAULTS.breakerFailures}; ${DEFAULTS.breakerMsMin / 1000} s to ${DEFAULTS.breakerMsMax / 1000} s`,
    `${kibi(DEFAULTS.introspectionAnswerBytesMax)}; ${DEFAULTS.introspectionsPerClientMax}`,
    `${DEFAULTS.decisionQuestionCharsMax} characters; ${kibi(DEFAULTS.decisionAnswerBytesMax)}; ${DEFAULTS.decisionMembersMax}; ${DEFAULTS.decisionBatchMax}`,
    `${DEFAULTS.identityClaimsMax}`,
    mebi(DEFAULTS.stateFileBytesMax),
    kibi(DEFAULTS.secretBytesMax),
  ]);
  for (const line of rows) {
    for (const [, reason = "", status] of line.matchAll(/`(\w+)`(?: \((\d+)\))?/g)) {
      expect(Object.keys(REASONS), line).toContain(reason);
      if (status !== undefined) expect(REASONS[reason as keyof typeof REASONS].status, line).toBe(Number(status));
    }
  }
});
