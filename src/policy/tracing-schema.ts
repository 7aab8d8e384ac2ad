import * as z from "zod";
import { callShape } from "../filters/call-settings.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { byHeader, object } from "../support/schema.ts";
import { secretReference } from "../support/secret.ts";
import { PROPAGATORS } from "../tracing/propagation.ts";
import { shareRatio } from "./record-schema.ts";

const trueOrFalse = z.boolean({ error: "expected true or false" });

const collectorSchema = object({
  url: z
    .string()
    .describe(
      "Where it takes spans by OTLP over HTTP, as in https://otel.example.org:4318. /v1/traces if it has no path.",
    ),
  encoding: z.enum(["protobuf", "json"]).optional().describe("How spans are written. protobuf if absent."),
  compression: z.enum(["gzip", "none"]).optional().describe("Of each call. none if absent."),
  headers: byHeader(secretReference)
    .refine((headers) => Object.keys(headers).length <= DEFAULTS.tracingHeadersMax, {
      error: `expected at most ${DEFAULTS.tracingHeadersMax} headers`,
    })
    .optional()
    .describe("Headers that it asks for → where their values are, as in Authorization: { file: secrets/otel }."),
  ...callShape,
});

export const tracingSchema = object({
  collector: collectorSchema.describe("Who gets the spans."),
  sample: shareRatio
    .optional()
    .describe("Which share of requests is recorded where no parent decides, as in 1%; off for none. 1% if absent."),
  from: z
    .enum(["anybody", "trustedProxies", "nobody"])
    .optional()
    .describe(
      "Whose traces are passed on: anybody's, if absent, those of trusted proxies, or nobody's. Others begin anew, with a link.",
    ),
  parent: z
    .enum(["trusted", "always", "never"])
    .optional()
    .describe(
      "Whose word counts that a request is recorded or is not: that of trusted proxies, if absent, of all whose traces are passed on (always), or of nobody (never).",
    ),
  denials: z
    .enum(["all", "sample"])
    .optional()
    .describe(
      `Whether denials and failures are recorded whatever the sample says, at most ${DEFAULTS.tracingDenialsPerSecondMax} a second. all if absent.`,
    ),
  propagators: z
    .array(z.enum(PROPAGATORS))
    .min(1)
    .optional()
    .describe(
      "Headers by which a trace comes and goes on, best one first: tracecontext (W3C), b3 (one header), b3multi. [tracecontext] if absent.",
    ),
  attributes: z
    .record(
      z
        .string()
        .regex(/^[a-z][a-z0-9_.]{0,63}$/, { error: "expected the name of an attribute, as in service.namespace" }),
      z.string().min(1).max(DEFAULTS.tracingAttributeCharsMax),
    )
    .refine((attributes) => Object.keys(attributes).length <= DEFAULTS.tracingAttributesMax, {
      error: `expected at most ${DEFAULTS.tracingAttributesMax} attributes`,
    })
    .optional()
    .describe(
      "Attributes of the resource, as in deployment.environment.name: production. service.name is SERVICE-postern if absent.",
    ),
  principal: trueOrFalse.optional().describe("Whether spans name the caller (enduser.id). false if absent."),
  userAgent: trueOrFalse.optional().describe("Whether spans have the client's User-Agent. false if absent."),
}).describe("Spans of requests, sent to an OpenTelemetry collector. None if absent.");

export type TracingSettings = z.output<typeof tracingSchema>;
