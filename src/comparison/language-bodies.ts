import { methodOf, readApi } from "../protobuf/api.ts";
import { atOnce } from "../support/turns.ts";
import { parseSizeBytes } from "../support/units.ts";
import { sampleOf } from "./body-values.ts";
import { callMessages, messagesOfSize } from "./call-messages.ts";
import { formsWithFiles, MULTIPART_TYPE } from "./form-files.ts";
import { parameterValues } from "./parameter-values.ts";
import type { SchemaSource } from "./schema-source.ts";
import { type Settings, settingsOf, textsOf } from "./settings.ts";
import type { WitnessBody } from "./witness.ts";

/** Bodies in a language of their own; the first is one that the rules take. */
export interface LanguageBodies {
  readonly type: string;
  readonly bodies: readonly WitnessBody[];
}

/** Longest list, and deepest document, that is made. */
const COUNT_MAX = 64;

/** What `validate` says of forms, GraphQL, JSON-RPC, XML and messages of gRPC, met and just not met. */
export function languageBodies(validate: Settings, source: SchemaSource, there: MadeFor): readonly LanguageBodies[] {
  return Object.entries(MAKERS).flatMap(([key, make]) =>
    validate[key] === undefined ? [] : [make(settingsOf(validate[key]), source, there)],
  );
}

/** Where bodies are made for. */
export interface MadeFor {
  /** Of all that the place validates. */
  readonly patterns: readonly string[];
  /** Of the route. */
  readonly template: string;
}

type Make = (rules: Settings, source: SchemaSource, there: MadeFor) => LanguageBodies;

const MAKERS: Readonly<Record<string, Make>> = {
  form: formBodies,
  graphql: graphqlBodies,
  jsonrpc: jsonRpcBodies,
  grpc: callBodies,
  xml: () => ({ type: "application/xml", bodies: ["<a/>", '<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>'] }),
};

function formBodies(rules: Settings, source: SchemaSource, { patterns }: MadeFor): LanguageBodies {
  const fields = Object.entries(settingsOf(rules["fields"])).map(([name, value]) => {
    const { good, bad } = parameterValues(source.open(value).schema, patterns);
    return { name, good, bad, isRequired: settingsOf(value)["required"] === true };
  });
  const usual = fields.filter(({ isRequired }) => isRequired).map(({ name, good }): Pair => [name, good[0] ?? "1"]);
  const others = fields.flatMap(({ name, good, bad }) => {
    const rest = usual.filter(([key]) => key !== name);
    return [...good, ...bad].map((value): readonly Pair[] => [...rest, [name, value]]);
  });
  if (rules["files"] !== undefined) return { type: MULTIPART_TYPE, bodies: formsWithFiles(rules, usual) };
  const less = usual.map((_, at) => usual.toSpliced(at, 1));
  return {
    type: "application/x-www-form-urlencoded",
    bodies: [usual, ...others, ...less, [...usual, ["zz9", "1"] as const]].map(formText),
  };
}

type Pair = readonly [name: string, value: string];

function formText(pairs: readonly Pair[]): string {
  return pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join("&");
}

function graphqlBodies(rules: Settings): LanguageBodies {
  const nested = (depth: number): string => (depth <= 1 ? "{ a }" : `{ a ${nested(depth - 1)} }`);
  const renamed = (count: number): string => `{ ${Array.from({ length: count }, (_, at) => `x${at}: a`).join(" ")} }`;
  const types = textsOf(rules["types"]);
  const operations = ["query", "mutation", "subscription"].map((type) => `${type} { a }`);
  const first = types.length === 0 ? operations : types.map((type) => `${type} { a }`);
  const documents = [
    ...first,
    ...operations,
    "{ __schema { queryType { name } } }",
    ...atBound(rules["depth"]).map(nested),
    ...atBound(rules["aliases"]).map(renamed),
  ];
  const requests = [...new Set(documents)].map((query) => JSON.stringify({ query }));
  return { type: "application/json", bodies: [...requests, ...batches(rules, requests[0] ?? "{}")] };
}

function jsonRpcBodies(rules: Settings, source: SchemaSource): LanguageBodies {
  const schemas = settingsOf(rules["paramsSchema"]);
  const call = (method: string, more: object): string => {
    const schema = schemas[method];
    const params = schema === undefined ? {} : { params: sampleOf(source.open(schema), source) };
    return JSON.stringify({ jsonrpc: "2.0", ...more, method, ...params });
  };
  const methods = [...textsOf(rules["methods"]).map((method) => method.replaceAll("*", "x")), "zz9"];
  const calls = methods.map((method) => call(method, { id: 1 }));
  const [first = "zz9"] = methods;
  return {
    type: "application/json",
    bodies: [...calls, call(first, {}), ...batches(rules, calls[0] ?? "{}")],
  };
}

const CALL_TYPES: Readonly<Record<string, string>> = {
  grpc: "application/grpc",
  grpcWeb: "application/grpc-web+proto",
  connect: "application/connect+proto",
};
/** No rule of gRPC speaks of the clock but by what a message says; the same for both policies. */
const CLOCK = { wallMs: () => 0 };
/** Largest message that is made. */
const MESSAGE_BYTES_MAX = 64 * 1024;

function callBodies(rules: Settings, source: SchemaSource, { patterns, template }: MadeFor): LanguageBodies {
  const content = source.bytes(String(rules["file"]));
  const api = content === null ? null : atOnce(readApi(content, CLOCK));
  const name = rules["method"] ?? template.split("/").slice(-2).join("/");
  const method = api?.ok === true ? methodOf(api.value, String(name)) : null;
  const [protocol = "grpc"] = textsOf(rules["protocols"]);
  const type = CALL_TYPES[protocol] ?? "application/grpc";
  if (api?.ok !== true || method === null) return { type, bodies: [] };
  const of = { type: method.input, book: rules["rules"] === "ignore" ? null : api.value.book, patterns };
  const bound = sizeOf(rules["maxMessageBytes"]);
  const sizes = bound === null || bound > MESSAGE_BYTES_MAX ? [] : [bound, bound + 1];
  const messages = [...callMessages(of), ...messagesOfSize(of, sizes)];
  return { type, bodies: messages.map(framed) };
}

function sizeOf(value: unknown): number | null {
  if (typeof value === "number") return value;
  const bytes = parseSizeBytes(String(value));
  return bytes.ok ? bytes.value : null;
}

/** Behind its prefix: not compressed, and its length. */
function framed(message: Buffer): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** Lists of a request, one of which there may be too many in. */
function batches(rules: Settings, request: string): readonly string[] {
  const counts = new Set([1, ...atBound(rules["batch"])]);
  return [...counts].map((count) => `[${Array.from({ length: count }, () => request).join(",")}]`);
}

function atBound(value: unknown): readonly number[] {
  return typeof value === "number" && value < COUNT_MAX ? [value, value + 1] : [];
}
