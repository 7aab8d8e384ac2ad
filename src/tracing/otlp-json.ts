import { type Attribute, nanoDigits, type Span, type SpanEncoding } from "./span.ts";

const SCOPE = '{"name":"postern"}';
/** STATUS_CODE_ERROR. */
const ERROR = '{"code":2}';

/** OTLP as JSON: protobuf's mapping with ids in hexadecimal digits, enums as numbers, and 64-bit numbers as texts. */
export const OTLP_JSON: SpanEncoding = {
  contentType: "application/json",
  span: (span) => Buffer.from(spanText(span)),
  request: (resource, spans) => {
    const head = `{"resourceSpans":[{"resource":{"attributes":${list(resource)}},"scopeSpans":[{"scope":${SCOPE},"spans":[`;
    const parts: Buffer[] = [Buffer.from(head)];
    for (const [at, span] of spans.entries()) {
      if (at > 0) parts.push(COMMA);
      parts.push(span);
    }
    return Buffer.concat([...parts, TAIL]);
  },
  rejected: (answer) => {
    const value = parsed(answer.toString());
    const partial = member(value, "partialSuccess");
    const count = Number(member(partial, "rejectedSpans") ?? 0);
    return Number.isSafeInteger(count) && count > 0 ? count : 0;
  },
};

const COMMA = Buffer.from(",");
const TAIL = Buffer.from("]}]}]}");

function spanText(span: Span): string {
  const { traceId, spanId, parentSpanId, traceState, flags, name, kind, startMs, endMs, events, link } = span;
  const told = events.map(
    (one) =>
      `{"timeUnixNano":"${nanoDigits(one.atMs)}","name":${JSON.stringify(one.name)},"attributes":${list(one.attributes)}}`,
  );
  return (
    `{"traceId":"${traceId}","spanId":"${spanId}"${parentSpanId === "" ? "" : `,"parentSpanId":"${parentSpanId}"`}` +
    `${traceState === "" ? "" : `,"traceState":${JSON.stringify(traceState)}`},"flags":${flags},` +
    `"name":${JSON.stringify(name)},"kind":${kind},"startTimeUnixNano":"${nanoDigits(startMs)}",` +
    `"endTimeUnixNano":"${nanoDigits(endMs)}","attributes":${list(span.attributes)}` +
    `${told.length === 0 ? "" : `,"events":[${told.join(",")}]`}` +
    `${link === null ? "" : `,"links":[{"traceId":"${link.traceId}","spanId":"${link.spanId}"}]`}` +
    `,"status":${span.isError ? ERROR : "{}"}}`
  );
}

function list(attributes: readonly Attribute[]): string {
  let text = "";
  for (const [name, value] of attributes) {
    const typed = typeof value === "number" ? `"intValue":"${value}"` : `"stringValue":${JSON.stringify(value)}`;
    text += `${text === "" ? "" : ","}{"key":"${name}","value":{${typed}}}`;
  }
  return `[${text}]`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function member(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return Object.getOwnPropertyDescriptor(value, name)?.value;
}
