import { parseArgs } from "node:util";
import { runCampaign } from "./campaign.ts";
import { runCelCampaign } from "./cel-campaign.ts";
import type { Tally } from "./codec-campaign.ts";
import { type GraphqlTally, runGraphqlCampaign } from "./graphql-campaign.ts";
import { type MultipartTally, runMultipartCampaign } from "./multipart-campaign.ts";
import { type OpenapiTally, runOpenapiCampaign } from "./openapi-campaign.ts";
import { runPatternCampaign } from "./pattern-campaign.ts";
import { type ProtobufTally, runProtobufCampaign } from "./protobuf-campaign.ts";
import { runSchemaCampaign, type SchemaTally } from "./schema-campaign.ts";
import { runXmlCampaign, type XmlTally } from "./xml-campaign.ts";

/** Each ends with 1 where anything disagrees. */
const USAGE = `npm run fuzz -- [MODE] [--seed N] [--messages N] [--minutes N]

Differential fuzzing. Without a mode it is the codecs: whatever ours accept, llhttp (HTTP/1.1) must read with the same
boundaries, start line, headers and body, and nghttp2 (HTTP/2) with the same method, authority, path, headers, body and
trailers; and how the bytes are cut into reads must not matter.

  pattern    patterns of schemas, against JavaScript's own engine
  schema     schemas and bodies, against @hyperjump/json-schema (--messages counts verdicts)
  cel        conditions of policies, against @bufbuild/cel
  graphql    documents, against graphql-js
  xml        documents, against saxes
  protobuf   messages, against @bufbuild/protobuf
  multipart  forms, against busboy
  openapi    requests to operations of a description: none throws, none holds the thread for 50 ms (of time that the
             thread had a core), and all give back what was held for them

  --seed N      the same run again; a number of the clock if absent
  --messages N  how many; 200000 if absent and there are no --minutes
  --minutes N   how long`;

const { values, positionals } = parsed();
const minutes = values.minutes === "" ? Number.POSITIVE_INFINITY : Number(values.minutes);
const wanted = values.messages === "" ? Number.NaN : Number(values.messages);
const messages = Number.isNaN(wanted)
  ? minutes === Number.POSITIVE_INFINITY
    ? 200_000
    : Number.POSITIVE_INFINITY
  : wanted;
const seed = Number(values.seed);

const startedMs = performance.now();
let toldMs = startedMs;
const seconds = () => (performance.now() - startedMs) / 1000;
const line = (tally: Tally) =>
  `${tally.messages} messages in ${tally.cases} connections, ${Math.round(tally.messages / seconds())} messages/s, ` +
  `${tally.disagreements.length} disagreements`;

const goesOn = (): boolean => seconds() < minutes * 60;
const MODES: Readonly<Record<string, () => void | Promise<void>>> = {
  pattern: fuzzPatterns,
  schema: fuzzSchemas,
  cel: fuzzConditions,
  graphql: () => tellDocuments(runGraphqlCampaign({ seed, documentsMax: messages, goesOn })),
  protobuf: () => tellDocuments(runProtobufCampaign({ seed, documentsMax: messages, goesOn })),
  xml: () => tellDocuments(runXmlCampaign({ seed, documentsMax: messages, goesOn })),
  multipart: async () => tellForms(await runMultipartCampaign({ seed, bodiesMax: messages, goesOn })),
  openapi: async () =>
    tellRequests(await runOpenapiCampaign({ seed, requestsMax: messages, stretchMsMax: 50, goesOn })),
};
const [mode] = positionals;
if (mode === undefined) await fuzzCodecs();
else if (Object.hasOwn(MODES, mode)) await MODES[mode]?.();
else leave(`there is no mode '${mode}'`);

function parsed() {
  try {
    const given = parseArgs({
      allowPositionals: true,
      options: {
        help: { type: "boolean", short: "h", default: false },
        seed: { type: "string", default: String(Date.now() % 2 ** 31) },
        messages: { type: "string", default: "" },
        minutes: { type: "string", default: "" },
      },
    });
    if (given.values.help) {
      console.log(USAGE);
      process.exit(0);
    }
    for (const name of ["seed", "messages", "minutes"] as const)
      if (Number.isNaN(Number(given.values[name]))) leave(`--${name}: expected a number`);
    return given;
  } catch (error) {
    return leave((error as Error).message);
  }
}

function leave(fault: string): never {
  console.error(`${fault}\n\n${USAGE}`);
  process.exit(2);
}

async function fuzzCodecs(): Promise<void> {
  const tally = await runCampaign({
    seed,
    messagesMax: messages,
    minutesMax: minutes,
    onRound: (sofar) => {
      if (performance.now() - toldMs < 10_000) return;
      toldMs = performance.now();
      console.log(line(sofar));
    },
  });

  console.log(`\nseed ${seed}: ${line(tally)}, ${seconds().toFixed(1)} s`);
  for (const [outcome, count] of [...tally.outcomes].sort()) console.log(`  ${outcome.padEnd(36)} ${count}`);
  for (const { kind, index, what, bytes, method } of tally.disagreements) {
    console.log(
      `\nDISAGREE ${kind}, seed ${seed}, case ${index}: ${what}${method === undefined ? "" : ` (answer to ${method})`}`,
    );
    console.log(`  ${JSON.stringify(bytes)}`);
  }
  process.exitCode = tally.disagreements.length > 0 ? 1 : 0;
}

function fuzzPatterns(): void {
  const tally = runPatternCampaign({ seed, patternsMax: messages, goesOn });
  console.log(
    `seed ${seed}: ${tally.patterns} patterns, ${tally.verdicts} verdicts that agree, ${seconds().toFixed(1)} s`,
  );
  for (const [outcome, count] of [...tally.outcomes].sort()) console.log(`  ${outcome.padEnd(36)} ${count}`);
  for (const { source, unicode, detail } of tally.disagreements) {
    console.log(`\nDISAGREE ${JSON.stringify(source)}, ${unicode ? "with" : "without"} u: ${detail}`);
  }
  process.exitCode = tally.disagreements.length > 0 ? 1 : 0;
}

async function fuzzSchemas(): Promise<void> {
  const told = (tally: SchemaTally) =>
    `${tally.verdicts} verdicts on ${tally.schemas} schemas, ${tally.fitting} bodies fit, ${tally.disagreements.length} disagreements`;
  const tally = await runSchemaCampaign({
    seed,
    verdictsMax: messages,
    minutesMax: minutes,
    onRound: (sofar) => {
      if (performance.now() - toldMs < 10_000) return;
      toldMs = performance.now();
      console.log(told(sofar));
    },
  });
  console.log(`\nseed ${seed}: ${told(tally)}, ${seconds().toFixed(1)} s`);
  for (const [why, count] of tally.refused) console.log(`  not judged, ${count} schemas: ${why}`);
  for (const { index, schema, body, ours, theirs } of tally.disagreements) {
    console.log(`\nDISAGREE seed ${seed}, case ${index}: ours: ${ours}, theirs: ${theirs}`);
    console.log(`  schema ${JSON.stringify(schema)}\n  body ${JSON.stringify(body)}`);
  }
  process.exitCode = tally.disagreements.length > 0 ? 1 : 0;
}

function fuzzConditions(): void {
  const tally = runCelCampaign({ seed, conditionsMax: messages, goesOn });
  console.log(
    `seed ${seed}: ${tally.conditions} conditions, ${tally.disagreements.length} disagreements, ${seconds().toFixed(1)} s`,
  );
  for (const [outcome, count] of [...tally.outcomes].sort()) console.log(`  ${outcome.padEnd(36)} ${count}`);
  for (const { index, ours, theirs, subject } of tally.disagreements) {
    console.log(
      `\nDISAGREE seed ${seed}, case ${index}: ours: ${ours}, theirs: ${theirs}\n  ${JSON.stringify(subject)}`,
    );
  }
  process.exitCode = tally.disagreements.length > 0 ? 1 : 0;
}

function tellDocuments({ documents, outcomes, disagreements }: GraphqlTally | XmlTally | ProtobufTally): void {
  console.log(`seed ${seed}: ${documents} documents, ${disagreements.length} disagreements, ${seconds().toFixed(1)} s`);
  for (const [outcome, count] of [...outcomes].sort()) console.log(`  ${outcome.padEnd(36)} ${count}`);
  for (const { index, text, ours, theirs } of disagreements) {
    console.log(`\nDISAGREE seed ${seed}, case ${index}: ours: ${ours}, theirs: ${theirs}\n  ${JSON.stringify(text)}`);
  }
  process.exitCode = disagreements.length > 0 ? 1 : 0;
}

function tellForms({ bodies, outcomes, disagreements }: MultipartTally): void {
  console.log(`seed ${seed}: ${bodies} forms, ${disagreements.length} disagreements, ${seconds().toFixed(1)} s`);
  for (const [outcome, count] of [...outcomes].sort()) console.log(`  ${outcome.padEnd(36)} ${count}`);
  for (const { index, body, ours, theirs } of disagreements) {
    console.log(
      `\nDISAGREE seed ${seed}, case ${index}: ours: ${JSON.stringify(ours)}, theirs: ${JSON.stringify(theirs)}`,
    );
    console.log(`  ${JSON.stringify(body)}`);
  }
  process.exitCode = disagreements.length > 0 ? 1 : 0;
}

function tellRequests({ requests, outcomes, disagreements, longestMs, longestIndex }: OpenapiTally): void {
  console.log(
    `seed ${seed}: ${requests} requests, the thread held for ${longestMs.toFixed(1)} ms at most (case ${longestIndex}), ` +
      `${disagreements.length} faults, ${seconds().toFixed(1)} s`,
  );
  for (const [outcome, count] of [...outcomes].sort()) console.log(`  ${outcome.padEnd(36)} ${count}`);
  for (const { index, what } of disagreements) console.log(`\nFAULT seed ${seed}, case ${index}: ${what}`);
  process.exitCode = disagreements.length > 0 ? 1 : 0;
}
