import { count, cuts, DISAGREEMENTS_MAX, isSameFault, type Tally } from "./codec-campaign.ts";
import { h2Differs, h2OutcomeOf, h2SplitDiffers } from "./h2-compare.ts";
import { conversation } from "./h2-grammar.ts";
import { readNghttp2All } from "./h2-nghttp2.ts";
import { type H2Case, readH2All } from "./h2-ours.ts";
import { cutFrames, type H2Reading } from "./h2-reading.ts";
import { split } from "./memory-socket.ts";
import { minimise } from "./minimise.ts";
import { caseSeed, Random } from "./random.ts";

/** `size` connections of HTTP/2 with some requests each, through our server side and nghttp2's. */
export async function h2Batch(tally: Tally, seed: number, from: number, size: number): Promise<void> {
  const cases = Array.from({ length: size }, (_, at) => {
    const random = new Random(caseSeed(seed ^ 0x2222_2222, from + at));
    const bytes = conversation(random).join("");
    return { bytes, reads: split(bytes, cuts(random, bytes.length)) };
  });
  const theirs = await readNghttp2All(cases.map(({ bytes }) => cutFrames(bytes)));
  const ours = await readH2All(cases.flatMap(({ bytes, reads }) => ways(bytes, reads)));
  for (const [at, { bytes, reads }] of cases.entries()) {
    const other = theirs[at];
    const readings = ours.slice(WAYS * at, WAYS * (at + 1));
    const [whole, cut] = readings;
    if (other === undefined || whole === undefined || cut === undefined) continue;
    tally.cases++;
    tally.messages += Math.max(1, cut.streams.size);
    const splitFault = h2SplitDiffers(whole, cut);
    const what = splitFault ?? readingsDiffer(readings, other, cutFrames(bytes));
    count(tally, "http2", what === null ? h2OutcomeOf(cut, other) : "DISAGREE");
    if (what === null || tally.disagreements.length >= DISAGREEMENTS_MAX) continue;
    const smallest = splitFault === null ? await smallestFrames(bytes, what) : JSON.stringify(reads);
    tally.disagreements.push({ kind: "http2", seed, index: from + at, what, bytes: smallest });
  }
}

const WAYS = 4;

/** In one read; cut, and never answered either; cut with bodies that pause; frame by frame, and answered at once. */
const ways = (bytes: string, reads: readonly string[]): H2Case[] => [
  { reads: [bytes], manner: "never answers" },
  { reads, manner: "never answers" },
  { reads, manner: "pauses" },
  { reads: cutFrames(bytes), manner: "answers" },
];

/** Frames are left out, one by one and many at a time: a text that stands for them is what shrinks. */
async function smallestFrames(bytes: string, what: string): Promise<string> {
  const frames = cutFrames(bytes);
  const framesOf = (text: string): string[] => [...text].map((char) => frames[char.charCodeAt(0)] ?? "");
  const all = String.fromCharCode(...frames.keys());
  return framesOf(await minimise(all, (text) => fails(framesOf(text).join(""), what))).join("");
}

async function fails(bytes: string, what: string): Promise<boolean> {
  const [other] = await readNghttp2All([cutFrames(bytes)]);
  const ours = await readH2All(ways(bytes, cutFrames(bytes)));
  return other !== undefined && isSameFault(readingsDiffer(ours, other, cutFrames(bytes)), what);
}

function readingsDiffer(ours: readonly H2Reading[], other: H2Reading, frames: readonly string[]): string | null {
  for (const reading of ours) {
    const what = h2Differs(reading, other, frames);
    if (what !== null) return what;
  }
  return null;
}
