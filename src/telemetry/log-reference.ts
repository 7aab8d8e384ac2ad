import type { AccessField } from "./access-fields.ts";
import type { EventName } from "./event-log.ts";
import { EVENT_FIELDS, EVENTS_TOLD, type FieldDoc } from "./log-reference-events.ts";

const text = (example: string, about: string): FieldDoc => ({
  type: "text",
  example: JSON.stringify(example),
  text: about,
});
const number = (example: string, about: string): FieldDoc => ({ type: "number", example, text: about });
const list = (example: string, about: string): FieldDoc => ({ type: "list", example, text: about });
const object = (example: string, about: string): FieldDoc => ({ type: "object", example, text: about });

/** Of every line. */
export const COMMON_FIELDS: Readonly<Record<"level" | "time" | "event", FieldDoc>> = {
  level: text("info", "`info`, `warn` or `error`."),
  time: text("2026-12-01T09:30:00.125Z", "RFC 3339, UTC, milliseconds."),
  event: text("request", "What the line is about: `request`, or one of the process's events below."),
};

export const ACCESS_FIELDS: Readonly<Record<AccessField, FieldDoc>> = {
  id: text("GwI_4cD4-3", "Id of the decision; the same as in the problem document that the client got."),
  listener: text("inbound", "Name of the listener."),
  client: text("192.0.2.7", "Address of the client: the peer, or what a trusted proxy forwarded."),
  country: text(
    "DE",
    "Country of that address, ISO 3166-1, where the policy's `geo` has `countries` and it is in there.",
  ),
  asn: text("AS64496", "Number of the network that it is of, where `geo` has `networks` and it is in there."),
  network: text("Example Transit", "Who that network belongs to, likewise."),
  protocol: text("h2", "What the client's connection speaks: `http/1.1` or `h2`."),
  proxyPeer: text("192.0.2.1", "Address of the proxy whose PROXY header named the client; absent without one."),
  method: text("GET", "Method as received; absent where the request could not be read."),
  path: text(
    "/v1/orders/42",
    "Canonical path, as judged, and as forwarded where there is no `upstreamPath`, without the query. It may name persons; the query never comes.",
  ),
  upstreamPath: text("/orders/42", "The path that the service got, where the route rewrites it."),
  route: text(
    "/v1/orders/{orderId}",
    "Template of the route, `unmatched` where none matched, `oauth-protected-resource` for the page of `resourceMetadata`.",
  ),
  upstream: text(
    "app",
    "Name of the service that the request went to, or would have; absent where that was not known yet.",
  ),
  status: number(
    "200",
    "Status of the answer; 499 where the client went away first; 101 for a WebSocket, whose line comes at its end; of a gRPC call that postern denied the HTTP status of its reason, though 200 goes over the wire.",
  ),
  grpcStatus: number("7", "gRPC status of a call that postern itself ended; absent for anything else."),
  principal: text("alice", "Who asked, as the authenticator established it; absent where nobody did."),
  authenticator: text("idp", "Name of the authenticator that did."),
  certificateFault: text(
    "certificate_expired (CERT_HAS_EXPIRED); expected a certificate that is still valid",
    "What is wrong with the client's certificate, in words: reason, OpenSSL's code, what was expected. Absent where it is trusted, or there is none. A listener that requires one ends the handshake instead: `handshake_failed`.",
  ),
  requestId: text("0199f3…", "The id by which the request can be followed, where the policy has `requestId`."),
  traceId: text(
    "4bf92f3577b34da6a3ce929d0e0e4736",
    "Of the trace that it is a part of, 32 hexadecimal digits, where the policy has `tracing` or `requestId`.",
  ),
  spanId: text(
    "00f067aa0ba902b7",
    "Of its own span, 16 hexadecimal digits, where the request is recorded by `tracing` and goes to the collector.",
  ),
  version: text("2", "The version that it was judged as; on routes with `version`."),
  deprecated: text("served", "How a request for what is deprecated went: `served`, `excepted`, `brownout`, `ended`."),
  decisionUs: number("38.2", "Microseconds from the first byte of the head to the verdict."),
  upstreamMs: number(
    "1.25",
    "Milliseconds from forwarding to the head of the service's answer; absent where nothing was forwarded.",
  ),
  durationMs: number("1.5", "Milliseconds from the first byte of the head to the end."),
  bytesIn: number("0", "Bytes of the body from the client, without framing; of a WebSocket its frames."),
  bytesOut: number("110", "The same to the client."),
  policyHash: text("3f786850e387550f", "Which policy judged; the same as in `postern_policy_info`."),
  reason: text(
    "scope_missing",
    "Why postern answered instead of the service, or ended what had begun; absent where the service's answer went through whole.",
  ),
  source: text("client", "Whose fault that is: `client`, `upstream`, `proxy`."),
  policy: text(
    "/etc/postern/policy.yaml:14:91",
    "Place of the check that refused, `file:line:column`; absent where HTTP itself was broken.",
  ),
  rule: text("routes[2].authorize.scopes", "Keys that lead there."),
  list: text("blocked.txt", "The list of addresses that the client is in, where one refused it."),
  seen: text(
    "no credentials; a key in the query parameter 'api_key', expected header X-Api-Key",
    "What the check saw, without secrets: what begins as keys of known makers do is masked. A key or token in the wrong place is named there, with the place where it was expected.",
  ),
  wanted: text("one of idp, partners", "What it wanted."),
  faults: list(
    '["body.total: type, at order.json:9"]',
    "Where more than one thing is wrong with a body: place in it, keyword of the schema, and that one's place in its file, at most 20.",
  ),
  withheld: list(
    '["x-tenant"]',
    "Names of the client's headers that did not reach the service though no rule of the policy took them off, behind those of `identity` that could not say of a known caller what they should (`x-tenant`, or `x-identity-token.tenant` for a claim), at most 8; `postern explain` tells why.",
  ),
  bodyEdits: object(
    '{"undeclared":2,"defaults":1}',
    "How often something in the body was changed, by the word of `validate.body` that asked for it.",
  ),
  answer: object(
    '{"removed":2,"fields":["ssn"]}',
    "What rules made of the answer: fields `removed`, those that came off because they are `undeclared` or `writeOnly`, values `masked`, and rules that could not look into it and let it pass (`unread`); `fields` has the first 10 names of those fields, `*` for what may be data, as a key of a map.",
  ),
  leaks: list(
    '[{"in":"response","kind":"iban","action":"mask","field":"/account"}]',
    "Values that were not to be seen, the first 20 of a request and its answer: `in` (`request` or `response`), `kind`, `action` (`observe`, `mask`, `block`), `field` (JSON Pointer, column, name of a header or parameter); never the value.",
  ),
  detected: object(
    '{"score":5,"rules":[942100],"hits":[…]}',
    "What rules of a detector found: `score`, `answerScore` where it is not 0, `rules` (ids of all that matched, at most 100) and `hits`, the first 20: `in` (`request` or `response`), `detector`, `rule`, `message`, `score`, `field` (collection and name, as in `ARGS:json.name`), `matched` (letters and digits masked but for two at each end), `place` (file and line of the rule).",
  ),
  audited: list(
    '[{"reason":"rate_limited","policy":"policy.yaml:31:7","rule":"limits.perKey","seen":"…","wanted":"…"}]',
    "Denials of checks in audit mode: `reason`, `policy`, `rule`, `list`, `seen`, `wanted`, `faults` of each, at most 16.",
  ),
  slow: {
    type: "boolean",
    example: "true",
    text: "It took `log.slow` or longer, for which it has a line in any case; absent otherwise.",
  },
  sampleRatio: number(
    "0.1",
    "Of a line that stands for several: the share of requests like it that have one, by `log.sample`. Counted as 1 / sampleRatio, lines give the number of requests. Absent where every request like it has a line.",
  ),
};

/** Fields of the process's lines that have one meaning wherever they stand. */
export function eventFieldDoc(name: string): FieldDoc | undefined {
  return Object.hasOwn(EVENT_FIELDS, name) ? EVENT_FIELDS[name] : undefined;
}

function rowOf(name: string, { type, example, text: about }: FieldDoc): string {
  return `| \`${name}\` | ${type} | ${about} | \`${example.replaceAll("|", "\\|")}\` |`;
}

function rows(docs: Readonly<Record<string, FieldDoc>>): string {
  return Object.entries(docs)
    .map(([name, doc]) => rowOf(name, doc))
    .join("\n");
}

/** docs/log-fields.md, held by a test. */
export function logReferenceText(): string {
  const events = (Object.keys(EVENTS_TOLD) as EventName[]).map((event) => {
    const { when, fields } = EVENTS_TOLD[event];
    return `| \`${event}\` | ${when} | ${fields.map((name) => `\`${name}\``).join(", ")} |`;
  });
  return `# Fields of log lines

Written by \`npm run generate\` (\`postern schema --log\`) from the code that writes the lines; do not edit. What is logged and where:
[logging.md](logging.md).

Text from outside is cut to 256 characters (a path to 1024) and comes without control characters; a cut text ends in \`…\`.
Header values, bodies, queries, tokens and keys are never in a line: fields are picked one by one, nothing is copied
whole and redacted afterwards.

## Every line

| field | type | when, and what it says | example |
|---|---|---|---|
${rows(COMMON_FIELDS)}

## \`request\`: one line a request

Levels follow whose fault an outcome is: the client's and the service's own answers are \`info\`, a service that fails is
\`warn\`, postern's own failure is \`error\`.

| field | type | when, and what it says | example |
|---|---|---|---|
${rows(ACCESS_FIELDS)}

\`stream_denied\` and \`stream_expired\` end what was allowed when it began and is not any more: \`policy\` and \`rule\` are those
of the check that denies it now, and \`seen\` begins with that check's own reason. Metrics count them by reason in
\`postern_requests_total\`.

## The process's own lines

They have a \`msg\` for people, and their fields. What happens again and again while its cause lasts (\`resource\`, \`state\`, \`watch_error\`,
\`reload_waits\`, \`listener_error\`) is told once in 10 seconds, and then once more with \`repeated\`.

| event | when | fields |
|---|---|---|
${events.join("\n")}

| field | type | what it says | example |
|---|---|---|---|
${rows(EVENT_FIELDS)}
`;
}
