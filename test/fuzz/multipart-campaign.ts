import { isUtf8 } from "node:buffer";
import {
  BOUNDARY,
  cutAt,
  field,
  file,
  multipart,
  type Part,
  readByBusboy,
  readStrictly,
} from "../fixtures/multipart.ts";
import { caseSeed, Random } from "./random.ts";

export interface MultipartTally {
  bodies: number;
  readonly outcomes: Map<string, number>;
  readonly disagreements: {
    readonly index: number;
    readonly body: string;
    readonly ours: unknown;
    readonly theirs: unknown;
  }[];
}

export interface MultipartCampaign {
  readonly seed: number;
  readonly bodiesMax: number;
  goesOn(): boolean;
}

const DISAGREEMENTS_MAX = 20;
const TYPE = `multipart/form-data; boundary=${BOUNDARY}`;
const DASHED = `--${BOUNDARY}`;
const CONTENTS = [
  "",
  "a",
  "\r\n",
  "\r",
  "-",
  "--",
  "\r\n--",
  `\r\n--${BOUNDARY.slice(0, 6)}`,
  "\0\xff",
  "x".repeat(300),
  "\n",
] as const;
const NAMES = ["a", "title", "tags", "a b", "ä", "a%22b", "it's"] as const;
/** What parsers differ in, put anywhere. */
const ODDITIES = [
  "\r\n",
  "\n",
  "\r",
  "\0",
  " ",
  "\t",
  "--",
  DASHED,
  `${DASHED}--`,
  `\r\n${DASHED}\r\n`,
  `\n${DASHED}\n`,
  `${DASHED} \r\n`,
  '"',
  "'",
  "\\",
  ";",
  "=",
  ":",
  "*",
  "name=",
  'name="b"',
  "filename=",
  `filename*=utf-8''c`,
  "\r\n x",
  "\r\n\r\n",
  "Content-Type: application/octet-stream\r\n",
  "Content-Transfer-Encoding: base64\r\n",
  "Content-Length: 1\r\n",
  "X_Y: z\r\n",
] as const;

/**
 * Random forms with oddities put in, read by ours and by busboy: what ours takes, busboy reads as the same fields and files
 * with the same contents; and how the bytes are cut must not matter.
 */
export async function runMultipartCampaign({ seed, bodiesMax, goesOn }: MultipartCampaign): Promise<MultipartTally> {
  const tally: MultipartTally = { bodies: 0, outcomes: new Map(), disagreements: [] };
  for (let index = 0; index < bodiesMax && goesOn(); index++) {
    const random = new Random(caseSeed(seed, index));
    const body = bodyOf(random);
    const cuts = Array.from({ length: random.below(6) }, () => random.below(body.length + 1));
    const ours = withTextFields(readStrictly(cutAt(body, cuts)));
    const whole = withTextFields(readStrictly([body]));
    const theirs = await readByBusboy(body, TYPE);
    tally.bodies++;
    const outcome = typeof ours !== "string" ? "both accept" : theirs === null ? "both refuse" : "ours alone refuses";
    tally.outcomes.set(outcome, (tally.outcomes.get(outcome) ?? 0) + 1);
    const agrees = typeof ours === "string" || isSame(ours, theirs);
    if (!agrees || !isSame(ours, whole))
      tally.disagreements.push({ index, body: body.toString("latin1"), ours: { ours, whole }, theirs });
    if (tally.disagreements.length >= DISAGREEMENTS_MAX) break;
  }
  return tally;
}

/** A field that is no UTF-8 is refused by whoever judges it, and not by the reader. */
function withTextFields(read: readonly Part[] | string): readonly Part[] | string {
  if (typeof read === "string") return read;
  const isText = read.every(({ fileName, content }) => fileName !== null || isUtf8(Buffer.from(content, "latin1")));
  return isText ? read : "a field that is no UTF-8";
}

function isSame(ours: readonly Part[] | string, theirs: readonly Part[] | string | null): boolean {
  return JSON.stringify(ours) === JSON.stringify(theirs);
}

function bodyOf(random: Random): Buffer {
  const parts = Array.from({ length: random.below(4) }, () => {
    const content = Buffer.from(random.pick(CONTENTS) + random.pick(CONTENTS), "latin1");
    const name = random.pick(NAMES);
    // Fields are text; what is none is a matter of whoever judges them.
    if (random.below(2) === 0) return field(name, content.toString("latin1").replace("\xff", ""));
    return file(name, random.pick(NAMES), "image/png", content);
  });
  let bytes = multipart(...parts);
  for (let edits = random.below(3); edits > 0; edits--) {
    const at = random.below(bytes.length + 1);
    const oddity = Buffer.from(random.pick(ODDITIES), "latin1");
    bytes = Buffer.concat([bytes.subarray(0, at), oddity, bytes.subarray(at + random.below(8))]);
  }
  return bytes;
}
