import type { Field } from "../fixtures/h2-frames.ts";
import type { Random } from "./random.ts";
import * as words from "./vocabulary.ts";

/** One request over HTTP/2 before it is frames: mostly right, in each way in which it may be. */
export interface H2Request {
  readonly fields: Field[];
  /** Null where its head ends it. */
  readonly body: string | null;
  /** Null where its body ends it. */
  readonly trailers: Field[] | null;
}

const RARE_FIELDS: readonly [Field, ...Field[]] = [
  ["connection", "close"],
  ["transfer-encoding", "chunked"],
  ["keep-alive", "1"],
  ["proxy-connection", "close"],
  ["upgrade", "h2c"],
  ["te", "gzip"],
  ["te", "Trailers"],
  ["te", ""],
  ["expect", "gold"],
  ["content_length", "1"],
  ["Upper", "x"],
  [":late", "x"],
  [":path", "/late"],
  [":status", "200"],
  ["", "x"],
  ["host", "b.example"],
  ["host", ""],
  ["priority", "u=1"],
  ["http2-settings", "AAMAAABkAAQAAP__"],
];

/** More than one frame holds. */
const LARGE_BODY = "0123456789".repeat(2_000);

const PSEUDO: readonly [Field, ...Field[]] = [
  [":method", "POST"],
  [":path", "/other"],
  [":scheme", "https"],
  [":authority", "b.example"],
  [":protocol", "websocket"],
  [":protocol", "connect-udp"],
  [":status", "200"],
  [":x", "y"],
  [":", ""],
];

const shuffle = <T>(random: Random, list: T[]): T[] => {
  for (let at = list.length - 1; at > 0; at--) {
    const other = random.below(at + 1);
    [list[at], list[other]] = [list[other] as T, list[at] as T];
  }
  return list;
};

/** As the one before, which clients repeat, but for one value. */
export function again(random: Random, { fields, body, trailers }: H2Request): H2Request {
  const at = random.chance(0.6) ? fields.findIndex(([name]) => name === ":path") : random.below(fields.length);
  const value = random.mostly(random.pick(words.TARGETS), ["", "x", "POST", "GET", "https", "0"], 0.3);
  return { fields: fields.map((field, index): Field => (index === at ? [field[0], value] : field)), body, trailers };
}

export function h2Request(random: Random): H2Request {
  const isTunnel = random.chance(0.02);
  const method = isTunnel ? "CONNECT" : random.mostly(random.pick(words.METHODS), words.RARE_METHODS, 0.01);
  const authority = random.mostly(random.pick(words.HOSTS), words.RARE_HOSTS, 0.015);
  const pseudo = pseudoFields(random, method, authority);
  if (isTunnel) pseudo.push([":protocol", "websocket"]);
  const fields = regularFields(random);
  // Either or both may say whom the request is for.
  const isNamed = pseudo.some(([name]) => name === ":authority");
  if (random.chance(isNamed ? 0.1 : 0.95)) fields.push(["host", random.mostly(authority, words.HOSTS, 0.05)]);
  const wantsBody = isTunnel || method === "POST" || method === "PUT" || method === "PATCH" || random.chance(0.02);
  const ends = !wantsBody && random.chance(0.97);
  const body = ends
    ? null
    : !wantsBody || random.chance(0.2)
      ? ""
      : random.mostly(random.pick(words.BODIES), [LARGE_BODY], 0.02);
  if (!isTunnel && random.chance(body === null ? 0.05 : 0.4)) {
    const usual = String(body?.length ?? 0);
    const length = random.chance(0.05) ? random.pick(words.LENGTHS).replaceAll("#", usual) : usual;
    fields.push(["content-length", random.mostly(length, ["0", "1", "300"], 0.02)]);
    if (random.chance(0.01)) fields.push(["content-length", usual]);
  }
  const trailers = body !== null && !isTunnel && random.chance(0.2) ? trailerFields(random) : null;
  return { fields: [...shuffle(random, pseudo), ...shuffle(random, fields)], body, trailers };
}

function pseudoFields(random: Random, method: string, authority: string): Field[] {
  const path = random.mostly(random.pick(words.TARGETS), words.RARE_TARGETS, 0.015);
  const pseudo: Field[] = [
    [":method", method],
    [":scheme", random.mostly("http", ["https", "", "HTTP", "file", "ht tp"], 0.01)],
    [":path", path],
  ];
  if (random.chance(0.92)) pseudo.push([":authority", authority]);
  if (random.chance(0.015)) pseudo.push(random.pick(PSEUDO));
  if (random.chance(0.01)) pseudo.splice(random.below(pseudo.length), 1);
  return pseudo;
}

function regularFields(random: Random): Field[] {
  const fields: Field[] = [];
  for (let left = random.below(5); left > 0; left--) fields.push(regularField(random));
  if (random.chance(0.15)) fields.push(["cookie", "a=1"], ["cookie", random.pick(["b=2", "", "c"])]);
  if (random.chance(0.05)) fields.push(["te", "trailers"]);
  if (random.chance(0.02)) fields.push(["expect", random.pick(words.EXPECTS)]);
  if (random.chance(0.03)) fields.push(random.pick(RARE_FIELDS));
  return fields;
}

function regularField(random: Random): Field {
  const name = random.mostly(random.pick(words.NAMES).toLowerCase(), words.RARE_NAMES, 0.005);
  const usual = random.pick(words.VALUES).trim();
  const value = random.mostly(usual, [...words.RARE_VALUES, " x", "x ", "\tx"], 0.01);
  return [name, random.chance(0.01) ? "long".repeat(1 + random.below(1_200)) : value];
}

function trailerFields(random: Random): Field[] {
  const fields: Field[] = [];
  for (let left = random.below(3); left > 0; left--) fields.push(regularField(random));
  if (random.chance(0.05)) fields.push(random.pick([random.pick(RARE_FIELDS), random.pick(PSEUDO), ["host", "b"]]));
  if (random.chance(0.03)) fields.push(["content-length", random.pick(["0", "1", "x"])]);
  return fields;
}
