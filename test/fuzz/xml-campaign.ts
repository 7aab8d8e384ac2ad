import { SaxesParser } from "saxes";
import { readXml, type XmlLimits } from "../../src/bodies/xml/reader.ts";
import { atOnce } from "../../src/support/turns.ts";
import { caseSeed, Random } from "./random.ts";
import { drawXml } from "./xml-grammar.ts";

export interface XmlTally {
  documents: number;
  readonly outcomes: Map<string, number>;
  readonly disagreements: {
    readonly index: number;
    readonly text: string;
    readonly ours: string;
    readonly theirs: string;
  }[];
}

const LIMITS: XmlLimits = {
  depth: 100,
  elements: 1_000,
  attributes: 100,
  attributeBytes: 4096,
  namespaces: 100,
  rebindings: 100,
  textBytes: 4096,
  processingInstructions: true,
};
const DISAGREEMENTS_MAX = 20;

/** Random documents, most of them right: what ours takes, saxes takes with the same elements, and what saxes takes ours refuses only for what it never takes. */
export function runXmlCampaign(campaign: { seed: number; documentsMax: number; goesOn(): boolean }): XmlTally {
  const tally: XmlTally = { documents: 0, outcomes: new Map(), disagreements: [] };
  for (let index = 0; index < campaign.documentsMax && campaign.goesOn(); index++) {
    const text = drawXml(new Random(caseSeed(campaign.seed, index))).toWellFormed();
    const read = atOnce(readXml(Buffer.from(text), LIMITS));
    const theirs = theirsOf(text);
    tally.documents++;
    const ours = read.ok ? JSON.stringify(read.value) : read.error.text.replace(/ at character \d+$/, "");
    const isRefused = !read.ok;
    const outcome = isRefused ? (theirs === null ? "both refuse" : `ours alone refuses: ${ours}`) : "both accept";
    tally.outcomes.set(outcome, (tally.outcomes.get(outcome) ?? 0) + 1);
    const agrees = read.ok
      ? ours === theirs
      : theirs === null || read.error.kind !== "malformed" || OWN.test(ours) || LENIENT.test(text);
    if (!agrees) tally.disagreements.push({ index, text, ours, theirs: theirs ?? "refused" });
    if (tally.disagreements.length >= DISAGREEMENTS_MAX) break;
  }
  return tally;
}

/** Refused here, and taken by saxes, which is given text and no bytes. */
const OWN = /another encoding|no declaration of XML 1\.0/;

/** What the specifications forbid and saxes takes: a local name that begins as none may, a target that ends in `?`. */
const LENIENT = /:[-.0-9\u00b7]|<\?[^\s>]+\?[^>]/;

function theirsOf(text: string): string | null {
  const parser = new SaxesParser({ xmlns: true });
  let [elements, depth, open] = [0, 0, 0];
  let root = "";
  let failed = false;
  parser.on("error", () => {
    failed = true;
  });
  parser.on("opentag", ({ name }) => {
    if (elements++ === 0) root = name;
    depth = Math.max(depth, ++open);
  });
  parser.on("closetag", () => {
    open--;
  });
  parser.write(text).close();
  return failed ? null : JSON.stringify({ elements, depth, root });
}
