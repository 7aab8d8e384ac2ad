import { DEFAULTS } from "../../src/support/defaults.ts";
import type { Random } from "./random.ts";

export interface FuzzedRequest {
  readonly operation: string;
  readonly params: string[];
  readonly query: string;
  readonly headers: [string, string][];
  /** As it is cut into reads; null: none. */
  readonly body: Buffer[] | null;
}

const text = { type: "string", maxLength: 40, pattern: "^[a-z][a-z0-9-]*$" };
const number = { type: "integer", minimum: 1, maximum: 1000 };
const list = { type: "array", maxItems: 50, uniqueItems: true, items: number };
const object = { type: "object", properties: { a: number, b: text }, additionalProperties: false };

/** Schemas whose judgement may take long: recursion, alternatives, patterns, lists without a bound, names by pattern. */
const TREE = {
  type: "object",
  required: ["name"],
  properties: {
    name: text,
    children: { type: "array", items: { $ref: "#/components/schemas/Tree" } },
    value: {
      oneOf: [{ type: "string", format: "email" }, number, { type: "array", uniqueItems: true }, { type: "boolean" }],
    },
    labels: { type: "object", patternProperties: { "^x-": text }, additionalProperties: { type: ["string", "null"] } },
    when: {
      anyOf: [
        { type: "string", format: "date-time" },
        { type: "string", format: "uuid" },
      ],
    },
    links: { type: "array", items: { type: "string", format: "uri" } },
    extra: { not: { required: ["admin"] } },
  },
  unevaluatedProperties: false,
};

const body = { required: true, content: { "application/json": { schema: { $ref: "#/components/schemas/Tree" } } } };
const form = { required: true, content: { "application/x-www-form-urlencoded": { schema: object } } };
const parts = {
  required: true,
  content: {
    "multipart/related": {
      schema: {
        type: "array",
        prefixItems: [{ $ref: "#/components/schemas/Tree" }, text],
        items: { contentMediaType: "image/png" },
        maxItems: 200,
      },
    },
    "multipart/form-data": {
      schema: {
        type: "object",
        properties: { a: number, tree: { $ref: "#/components/schemas/Tree" }, list: { type: "array", items: text } },
      },
    },
  },
};
const query = (name: string, schema: object, more: object = {}) => ({ name, in: "query", schema, ...more });

export const FUZZED_API: object = {
  openapi: "3.1.0",
  paths: {
    "/trees/{id}/{keys}": {
      post: {
        operationId: "tree",
        parameters: [
          { name: "id", in: "path", schema: text },
          { name: "keys", in: "path", style: "matrix", explode: true, schema: list },
          query("page", number),
          query("ids", list, { explode: false }),
          query("filter", object, { style: "deepObject" }),
          query("json", {}, { schema: undefined, content: { "application/json": { schema: TREE.properties.value } } }),
          { name: "X-Ids", in: "header", schema: list },
          { name: "session", in: "cookie", schema: text },
        ],
        requestBody: body,
      },
    },
    "/forms/{id}": {
      post: { operationId: "form", parameters: [{ name: "id", in: "path", schema: number }], requestBody: form },
    },
    "/parts": { post: { operationId: "parts", requestBody: parts } },
    "/lists": {
      get: { operationId: "list", parameters: [query("ids", list), query("page", number, { required: true })] },
    },
  },
  components: { schemas: { Tree: TREE } },
};

const TEXTS = [
  "",
  "abc",
  "a-1",
  "A",
  "1",
  "-1",
  "1e400",
  "0x10",
  "true",
  "null",
  "\u00e9",
  "\u{1f600}",
  "%",
  "%2",
  "%00",
  "%ff",
  "..",
  "a,b",
  "1,2,3",
  "1;2",
  "a=b",
  "&",
  "[]",
  "{}",
  '"',
  "\\",
  "9".repeat(400),
] as const;
const NAMES = [
  "name",
  "children",
  "value",
  "labels",
  "when",
  "links",
  "extra",
  "NAME",
  "__proto__",
  "constructor",
  "x-a",
  "admin",
  "",
] as const;

/** A request to one of the operations; one in ten has a body near the most that is judged. */
export function drawRequest(random: Random): FuzzedRequest {
  const operation = random.pick(["tree", "tree", "tree", "form", "list", "parts"]);
  if (operation === "parts") return drawParts(random);
  // What is wrong with a parameter is seen before the body is.
  const isTame = random.chance(0.7);
  const params = paramsOf(random, operation, isTame);
  const headers: [string, string][] = isTame ? [] : headersOf(random);
  const query = isTame ? "?page=3" : queryOf(random);
  if (operation === "list") return { operation, params, query, headers, body: null };
  const type = operation === "form" ? "application/x-www-form-urlencoded" : "application/json";
  headers.push(["content-type", random.mostly(type, ["text/plain", `${type}; charset=utf-16`, "", "a/b/c", "*/*"])]);
  const isLarge = random.chance(0.1);
  const content = operation === "form" ? formOf(random, isLarge) : isLarge ? large(random) : json(random, 6);
  return { operation, params, query, headers, body: cut(random, Buffer.from(content)) };
}

function paramsOf(random: Random, operation: string, isTame: boolean): string[] {
  if (operation === "list") return [];
  const usual = operation === "tree" ? "abc" : "7";
  const first = isTame ? usual : random.mostly(usual, TEXTS, 0.2);
  return operation === "form" ? [first] : [first, isTame ? ";keys=1;keys=2" : matrix(random)];
}

function headersOf(random: Random): [string, string][] {
  const headers: [string, string][] = [];
  for (let at = random.below(4); at > 0; at--) headers.push(["x-ids", many(random, 60)]);
  for (let at = random.below(3); at > 0; at--)
    headers.push(["cookie", Array.from({ length: random.below(6) }, () => `session=${random.pick(TEXTS)}`).join("; ")]);
  return headers;
}

function many(random: Random, most: number): string {
  return Array.from({ length: random.below(most) }, () => random.mostly(String(random.below(1000)), TEXTS, 0.1)).join(
    ",",
  );
}

function matrix(random: Random): string {
  return Array.from(
    { length: random.below(20) },
    () => `;keys=${random.mostly(String(random.below(99)), TEXTS, 0.1)}`,
  ).join("");
}

function queryOf(random: Random): string {
  const names = [
    "page",
    "ids",
    "filter[a]",
    "filter[b]",
    "filter",
    "filter[a][b]",
    "json",
    "ids[]",
    "PAGE",
    "a%",
  ] as const;
  const pairs = Array.from({ length: random.below(random.chance(0.05) ? 3_000 : 8) }, () => {
    const name = random.pick(names);
    if (name === "json") return `json=${encodeURIComponent(json(random, 2).toWellFormed())}`;
    return `${name}=${random.chance(0.5) ? many(random, 20) : encodeURIComponent(random.pick(TEXTS))}`;
  });
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`.slice(0, DEFAULTS.headBytesMax - 1_000);
}

const BOUNDARY = "b0undary";

/** Parts of either type, mostly as they have to be. */
function drawParts(random: Random): FuzzedRequest {
  const kind = random.pick(["related", "form-data"]);
  const type = `multipart/${kind}; boundary=${random.mostly(BOUNDARY, ["", '"', "x y", "b;boundary=c"], 0.05)}`;
  const isLarge = random.chance(0.1);
  const pieces = Array.from({ length: isLarge ? 150 : 2 + random.below(4) }, (_, at) => {
    const inOrder = at === 0 ? "tree" : at === 1 ? "text" : "file";
    return partOf(random, kind, random.mostly(inOrder, ["tree", "text", "file"], 0.2), isLarge);
  });
  const end = random.mostly(`--${BOUNDARY}--\r\n`, ["", `--${BOUNDARY}\r\n`, `--${BOUNDARY}-x`, "\n"], 0.1);
  const whole = Buffer.from(pieces.join("") + end);
  const headers: [string, string][] = [["content-type", type]];
  return { operation: "parts", params: [], query: "", headers, body: cut(random, broken(random, whole)) };
}

function partOf(random: Random, kind: string, what: string, isLarge: boolean): string {
  const name = random.mostly(what === "tree" ? "tree" : what === "text" ? "a" : "list", [...NAMES], 0.1);
  const names = kind === "form-data" || random.chance(0.2) ? [`Content-Disposition: form-data; name="${name}"`] : [];
  const types = { tree: "application/json", text: "text/plain", file: "image/png" } as Readonly<Record<string, string>>;
  const type = random.mostly(
    types[what] ?? "",
    ["text/html", "multipart/mixed", "a", "application/json; charset=x"],
    0.1,
  );
  const odd = random.chance(0.1)
    ? [random.pick(["Content-ID: <a>", "X", " folded: a", "Content-Length: 3", "Content-Transfer-Encoding: base64"])]
    : [];
  const head = [...names, `Content-Type: ${type}`, ...odd].join("\r\n");
  const tree = isLarge ? large(random).slice(0, DEFAULTS.formFieldBytesMax / 2) : json(random, 4);
  const content = what === "tree" ? tree : what === "text" ? random.mostly("abc", TEXTS, 0.2) : "\x89PNG\r\n";
  return `--${BOUNDARY}\r\n${head}\r\n\r\n${content}\r\n`;
}

/** One byte in another place, now and then. */
function broken(random: Random, bytes: Buffer): Buffer {
  if (random.chance(0.7)) return bytes;
  const at = random.below(bytes.length);
  return Buffer.concat([
    bytes.subarray(0, at),
    Buffer.from(random.pick(["\r", "\n", "-", "\0", "é", ""])),
    bytes.subarray(at + random.below(3)),
  ]);
}

function formOf(random: Random, isLarge: boolean): string {
  const pairs = Array.from(
    { length: isLarge ? 60_000 : random.below(8) },
    () => `${random.pick(["a", "b", "a[]", "c", "A"])}=${random.pick(TEXTS)}`,
  );
  return pairs.join("&").slice(0, DEFAULTS.bodyInspectedBytesMax + random.below(20) - 10);
}

function json(random: Random, depth: number): string {
  const value = random.chance(0.8) ? objectOf(random, depth) : jsonValue(random, depth);
  if (random.chance(0.8)) return value;
  const at = random.below(value.length + 1);
  const breaking = random.pick(["{", "}", "[", "]", ",", ":", '"', "\\", "\u0000", "\ufeff", "1", " ", "\\ud800"]);
  return value.slice(0, at) + breaking + value.slice(at + random.below(3));
}

function jsonValue(random: Random, depth: number): string {
  const roll = random.below(depth <= 0 ? 4 : 9);
  if (roll === 0) return random.pick(["1", "-0", "1e400", "12345678901234567890", "0.1", "1E-400", "01"]);
  if (roll === 1) return random.pick(["true", "false", "null"]);
  if (roll < 4) return JSON.stringify(random.pick(TEXTS));
  if (roll === 4) return `[${Array.from({ length: random.below(5) }, () => jsonValue(random, depth - 1)).join(",")}]`;
  return objectOf(random, depth);
}

function objectOf(random: Random, depth: number): string {
  if (depth <= 0) return '{"name":"abc"}';
  const members = Array.from({ length: random.below(4) }, () => member(random, depth));
  const distinct = new Map(members.map((one) => [one.slice(0, one.indexOf(":")), one])).values();
  return `{${['"name":"abc"', ...(random.chance(0.8) ? distinct : members)].join(",")}}`;
}

/** One that the schema has, mostly with a value that fits. */
function member(random: Random, depth: number): string {
  if (random.chance(0.2)) return `${JSON.stringify(random.pick(NAMES))}:${jsonValue(random, depth - 1)}`;
  switch (random.below(5)) {
    case 0:
      return `"children":[${Array.from({ length: random.below(3) }, () => objectOf(random, depth - 1)).join(",")}]`;
    case 1:
      return `"value":${random.pick(["7", '"a@b.example"', "[1,2,{}]", "true", "[1,1.0]"])}`;
    case 2:
      return `"labels":{"x-a":"abc","other":null}`;
    case 3:
      return `"when":"${random.pick(["2026-12-01T00:00:00Z", "6f1c1a52-54f3-4c61-9a35-0d6e5f1f2a77", "2026"])}"`;
    default:
      return `"links":["https://example.org/${random.pick(["a", "%zz", "b?c=d"])}"]`;
  }
}

/** About as much as is judged, of what takes long to read or to judge. */
function large(random: Random): string {
  const most = DEFAULTS.bodyInspectedBytesMax - random.below(200);
  const fill = (piece: (at: number) => string, head: string, tail: string): string => {
    const parts: string[] = [];
    let chars = head.length + tail.length;
    for (let at = 0; ; at++) {
      const part = piece(at);
      chars += part.length + 1;
      if (chars > most) return `${head}${parts.join(",")}${tail}`;
      parts.push(part);
    }
  };
  const close = '],"name":"abc"}';
  switch (random.below(9)) {
    case 0:
      return fill(() => '{"name":"abc"}', '{"children":[', close);
    case 1:
      return fill((at) => String(at), '{"value":[', close);
    case 2:
      return fill((at) => `{"a":${at}}`, '{"value":[', close);
    case 3:
      return fill((at) => `"x-${at}":"abc"`, '{"name":"abc","labels":{', "}}");
    case 4:
      return `{"name":"${"a".repeat(most - 20)}"}`;
    case 5:
      return fill(() => "[]", '{"value":[', close);
    case 6:
      return "[".repeat(most);
    case 7:
      return fill(() => '"https://example.org/a/b?c=d"', '{"links":[', close);
    default:
      return fill((at) => `"k${at}":{}`, '{"name":"abc",', "}");
  }
}

function cut(random: Random, bytes: Buffer): Buffer[] {
  if (random.chance(0.5) || bytes.length < 2) return [bytes];
  const at = random.below(bytes.length);
  return [bytes.subarray(0, at), bytes.subarray(at)];
}
