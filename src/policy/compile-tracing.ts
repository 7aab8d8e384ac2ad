import { randomBytes } from "node:crypto";
import { isThisMachine } from "../calls/call-url.ts";
import { compileCall } from "../filters/call-settings.ts";
import { type EndpointToken, endpointToken } from "../filters/endpoint-token.ts";
import type { CompileContext } from "../filters/filter.ts";
import { isReserved } from "../message/reserved-names.ts";
import type { ResourceWorld } from "../resources/resource.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";
import type { SecretReference } from "../support/secret.ts";
import { OTLP_JSON } from "../tracing/otlp-json.ts";
import { OTLP_PROTOBUF } from "../tracing/otlp-protobuf.ts";
import { type ExporterSettings, SpanExporter } from "../tracing/span-exporter.ts";
import { Tracing } from "../tracing/tracing.ts";
import type { Path } from "./path.ts";
import { salvageContext } from "./salvage.ts";
import { type TracingSettings, tracingSchema } from "./tracing-schema.ts";
import type { Work } from "./work.ts";

const ENCODINGS = { json: OTLP_JSON, protobuf: OTLP_PROTOBUF } as const;
const TRACES_PATH = "/v1/traces";

/** Section `tracing`. */
export function compileTracing(work: Work): void {
  const path: Path = ["tracing"];
  const read = work.reader.readParts(tracingSchema, work.reader.raw(path), path);
  if (read === null) return;
  const context = salvageContext(
    work.context((inner) => [...path, ...inner]),
    read,
  );
  const { settings } = read;
  const { from = "anybody", parent = "trusted", denials = "all", sample = DEFAULTS.tracingSampleRatio } = settings;
  if (from === "trustedProxies" && work.listeners.every(({ trustedProxies }) => trustedProxies === null)) {
    context.warning("no_effect", "no listener has 'trustedProxies', so no trace is ever passed on", "from");
  }
  if (work.reader.raw(["requestId", "traceContext"]) !== undefined) {
    work.warning("no_effect", "'tracing' decides on 'traceparent'", ["requestId", "traceContext"]);
  }
  const exporter = compileCollector(settings, context);
  if (exporter === null || read.lost.length > 0) return;
  const rules = {
    from,
    parent,
    sampleRatio: sample,
    tracesDenials: denials === "all",
    propagators: [...new Set(settings.propagators ?? ["tracecontext" as const])],
    facts: { principal: settings.principal ?? false, userAgent: settings.userAgent ?? false },
  };
  work.tracing = new Tracing(rules, work.inputs.clock, exporter, randomBytes);
}

function compileCollector({ collector, attributes }: TracingSettings, context: CompileContext): SpanExporter | null {
  const inner = within(context, "collector");
  const { encoding = "protobuf", compression = "none", headers = {} } = collector;
  const url = collectorUrl(collector.url);
  if (!url.ok) {
    inner.problem(url.error, "url");
    return null;
  }
  const isClear = url.value.protocol === "http:" && !isThisMachine(url.value);
  if (isClear && Object.keys(headers).length > 0) {
    inner.problem("secrets in headers would go over the network in the clear; expected an https: URL", "url");
    return null;
  }
  if (isClear) {
    const text = "spans go over the network in the clear: who listens on the way learns who asks for what";
    inner.warning("in_the_clear", text, "url");
  }
  const tokens = headerTokens(headers, inner);
  const call = compileCall(collector, [url.value], inner, {
    breaks: false,
    answerBytesMax: DEFAULTS.tracingAnswerBytesMax,
  });
  if (call === null || tokens === null) return null;
  const resource = Object.entries({ "service.name": serviceName(context.service), ...attributes });
  const identity = [...call.inputs, JSON.stringify([url.value.href, encoding, compression, headers, resource])];
  return context.resource("collector", identity, (world) => {
    const settings: ExporterSettings = {
      url: url.value,
      encoding: ENCODINGS[encoding],
      isCompressed: compression === "gzip",
      call: call.settings,
      resource,
      headers: readHeaders(tokens, world),
    };
    return new SpanExporter(settings, world);
  });
}

function serviceName(service: string): string {
  return service === "" ? "postern" : `${service}-postern`;
}

/** Other than of those who say who gets in, in the clear is allowed: what it says decides nothing. */
function collectorUrl(text: string): Result<URL, string> {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !["https:", "http:"].includes(url.protocol)) {
    return err("expected the URL of a collector, as in https://otel.example.org:4318");
  }
  if (url.username !== "" || url.password !== "" || url.hash !== "") {
    return err("expected a URL without a name, a password and '#' in it");
  }
  if (url.pathname === "/") url.pathname = TRACES_PATH;
  return ok(url);
}

type HeaderTokens = ReadonlyMap<string, (world: ResourceWorld) => EndpointToken>;

function headerTokens(
  headers: Readonly<Record<string, SecretReference>>,
  context: CompileContext,
): HeaderTokens | null {
  const tokens = new Map<string, (world: ResourceWorld) => EndpointToken>();
  for (const [name, reference] of Object.entries(headers)) {
    if (isReserved(name) || name.startsWith("content-")) {
      context.problem(`'${name}' is written for each call; expected a header like Authorization`, "headers", name);
      return null;
    }
    tokens.set(name, endpointToken(reference, context, "headers", name));
  }
  return tokens;
}

/** A file is read anew for each call, for somebody else renews it. */
function readHeaders(tokens: HeaderTokens, world: ResourceWorld): ExporterSettings["headers"] {
  const readers = [...tokens].map(([name, open]) => [name, open(world)] as const);
  return () => {
    const lines: Record<string, string> = {};
    for (const [name, read] of readers) {
      const value = read?.() ?? ok("");
      if (!value.ok) return err(`header ${name}: ${value.error}`);
      if (!/^[\x20-\x7e]+$/.test(value.value)) return err(`header ${name}: expected a value of visible characters`);
      lines[name] = value.value;
    }
    return ok(lines);
  };
}

/** Sees what is under `key`. */
function within(context: CompileContext, key: string): CompileContext {
  return {
    ...context,
    place: (...inner) => context.place(key, ...inner),
    problem: (text, ...inner) => context.problem(text, key, ...inner),
    warning: (rule, text, ...inner) => context.warning(rule, text, key, ...inner),
    readFile: (name, ...inner) => context.readFile(name, key, ...inner),
    secret: (reference, ...inner) => context.secret(reference, key, ...inner),
  };
}
