import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runCampaign } from "./campaign.ts";
import { runCelCampaign } from "./cel-campaign.ts";
import { runGraphqlCampaign } from "./graphql-campaign.ts";
import { minimise } from "./minimise.ts";
import { runMultipartCampaign } from "./multipart-campaign.ts";
import { runOpenapiCampaign } from "./openapi-campaign.ts";
import { runProtobufCampaign } from "./protobuf-campaign.ts";
import { caseSeed, Random } from "./random.ts";
import { runSchemaCampaign } from "./schema-campaign.ts";
import { runXmlCampaign } from "./xml-campaign.ts";

test("on one fixed seed llhttp and nghttp2 read whatever ours accept, in memory, over sockets and behind the proxy", async () => {
  const tally = await runCampaign({ seed: 20261121, messagesMax: 9_000, minutesMax: 1 });
  expect(tally.disagreements).toEqual([]);
  expect(tally.messages).toBeGreaterThanOrEqual(9_000);
  // A run in which one side refuses everything would agree on everything.
  for (const kind of ["requests", "responses", "raw sockets", "forwarded", "http2"]) {
    expect(tally.outcomes.get(`${kind}: both accept`), kind).toBeGreaterThan(10);
    expect(tally.outcomes.get(`${kind}: both refuse`), kind).toBeGreaterThan(10);
  }
});

test("on one fixed seed @hyperjump/json-schema judges as ours does, whether at once or in turns", async () => {
  const tally = await runSchemaCampaign({ seed: 20261128, verdictsMax: 10_000, minutesMax: 1 });
  expect(tally.disagreements).toEqual([]);
  expect(tally.verdicts).toBeGreaterThanOrEqual(10_000);
  expect(tally.fitting).toBeGreaterThan(1_000);
  expect(tally.verdicts - tally.fitting).toBeGreaterThan(1_000);
});

test("on one fixed seed @bufbuild/cel answers conditions as ours does", () => {
  const tally = runCelCampaign({ seed: 20261129, conditionsMax: 2_000, goesOn: () => true });
  expect(tally.disagreements).toEqual([]);
  for (const outcome of ["true", "false", "both fail"]) {
    expect(tally.outcomes.get(outcome), outcome).toBeGreaterThan(100);
  }
});

test("on one fixed seed graphql-js reads and weighs documents as ours does", () => {
  const tally = runGraphqlCampaign({ seed: 20261130, documentsMax: 3_000, goesOn: () => true });
  expect(tally.disagreements).toEqual([]);
  for (const outcome of ["both accept", "both refuse"])
    expect(tally.outcomes.get(outcome), outcome).toBeGreaterThan(300);
});

test("on one fixed seed @bufbuild/protobuf reads messages as ours does, and their JSON", () => {
  const tally = runProtobufCampaign({ seed: 20261129, documentsMax: 5_000, goesOn: () => true });
  expect(tally.disagreements).toEqual([]);
  for (const outcome of ["both accept", "both accept, with unknown fields"])
    expect(tally.outcomes.get(outcome), outcome).toBeGreaterThan(300);
});

test("on one fixed seed saxes reads XML as ours does", () => {
  const tally = runXmlCampaign({ seed: 20261130, documentsMax: 3_000, goesOn: () => true });
  expect(tally.disagreements).toEqual([]);
  for (const outcome of ["both accept", "both refuse"])
    expect(tally.outcomes.get(outcome), outcome).toBeGreaterThan(300);
});

test("on one fixed seed busboy reads of multipart forms what ours does, however they are cut", async () => {
  const tally = await runMultipartCampaign({ seed: 20261130, bodiesMax: 3_000, goesOn: () => true });
  expect(tally.disagreements).toEqual([]);
  for (const outcome of ["both accept", "both refuse"])
    expect(tally.outcomes.get(outcome), outcome).toBeGreaterThan(200);
});

test("on one fixed seed requests to a description's operations never throw, and give back what was held for them", async () => {
  const campaign = { seed: 20261201, requestsMax: 400, stretchMsMax: Number.POSITIVE_INFINITY, goesOn: () => true };
  const tally = await runOpenapiCampaign(campaign);
  expect(tally.disagreements).toEqual([]);
  for (const outcome of [
    "passes",
    "refused: body_schema_mismatch",
    "refused: body_not_json",
    "refused: parameter_invalid",
  ])
    expect(tally.outcomes.get(outcome), outcome).toBeGreaterThan(20);
});

describe("the fuzzer's own parts", () => {
  test("a case comes again from its seed and number alone", () => {
    const draw = (index: number) => {
      const random = new Random(caseSeed(7, index));
      return Array.from({ length: 5 }, () => random.next());
    };
    expect(draw(12)).toEqual(draw(12));
    expect(draw(12)).not.toEqual(draw(13));
    expect(draw(12).every((drawn) => drawn >= 0 && drawn < 1)).toBe(true);
  });

  test("a failing text shrinks to what makes it fail", async () => {
    const text = `${"a".repeat(100)}X${"b".repeat(100)}Y${"c".repeat(100)}`;
    expect(await minimise(text, async (bytes) => /X.*Y/.test(bytes))).toBe("XY");
  });
});

test.each([
  [["--help"], 0, "Differential fuzzing"],
  [["scheam"], 2, "there is no mode 'scheam'"],
  [["schema", "--verdicts", "9"], 2, "Unknown option '--verdicts'"],
  [["schema", "--messages", "many"], 2, "--messages: expected a number"],
])("the command asked with %j ends with %i and tells its modes", (args, status, told) => {
  const ran = spawnSync(process.execPath, [join(import.meta.dirname, "run.ts"), ...args], { encoding: "utf8" });
  expect(ran.status).toBe(status);
  expect(ran.stdout + ran.stderr).toContain(told);
  expect(ran.stdout + ran.stderr).toContain("schemas and bodies, against @hyperjump/json-schema");
});
