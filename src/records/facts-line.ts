import type { DecisionFacts } from "./decision-facts.ts";

/** JSON of what many facts share, as a caller and the headers of a connection: made once. */
const shared = new WeakMap<object, string>();

/** What JSON writes as it is. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/**
 * Facts as a line of JSON. By hand, for each request of a recorded service costs one, and a general serializer takes several times
 * as long; a test holds it to `JSON.stringify`.
 */
export function factsLine(facts: DecisionFacts): string {
  const { denial, audited, trace, oneIn, upstreamMs, version, place, reason } = facts;
  return (
    `{"v":${facts.v},"id":${quoted(facts.id)},"atMs":${facts.atMs},"listener":${quoted(facts.listener)},` +
    `"client":${quoted(facts.client)},"protocol":"${facts.protocol}","secure":${facts.secure},` +
    `"method":${quoted(facts.method)},"host":${quoted(facts.host)},"path":${quoted(facts.path)},` +
    `"query":${facts.query.length === 0 ? "[]" : JSON.stringify(facts.query)},"headers":${sharedText(facts.headers)},` +
    `"route":${quoted(facts.route)},"place":${place === null ? "null" : quoted(place)},` +
    `"version":${version === null ? "null" : quoted(version)},"principal":${sharedText(facts.principal)},` +
    `"certificate":${sharedText(facts.certificate)},"requestBytes":${facts.requestBytes},` +
    `"responseBytes":${facts.responseBytes},"verdict":"${facts.verdict}",` +
    `"reason":${reason === null ? "null" : `"${reason}"`},"denial":${denial === null ? "null" : JSON.stringify(denial)},` +
    `"audited":${audited.length === 0 ? "[]" : JSON.stringify(audited)},"status":${facts.status},` +
    `"decisionUs":${facts.decisionUs},"upstreamMs":${upstreamMs},"durationMs":${facts.durationMs},` +
    `"policyHash":${quoted(facts.policyHash)}${oneIn === undefined ? "" : `,"oneIn":${oneIn}`}` +
    `${trace === undefined ? "" : `,"trace":${JSON.stringify(trace)}`}}\n`
  );
}

function sharedText(value: object | null): string {
  if (value === null) return "null";
  let text = shared.get(value);
  if (text === undefined) {
    text = JSON.stringify(value);
    shared.set(value, text);
  }
  return text;
}

function quoted(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}
