import type { Place } from "../../../decision/verdict.ts";
import type { BodyWatch } from "../../../message/body-watch.ts";
import type { Exchange } from "../../../message/exchange.ts";
import { type DescribedApi, methodOf, readApi } from "../../../protobuf/api.ts";
import type { MethodType } from "../../../protobuf/types.ts";
import { DEFAULTS } from "../../../support/defaults.ts";
import type { Result } from "../../../support/result.ts";
import { nearestHint } from "../../../support/schema.ts";
import type { Steps } from "../../../support/turns.ts";
import type { RouteContext } from "../../filter.ts";
import type { HoldRules, Part } from "../held-body.ts";
import type { LongBodies } from "../long-bodies.ts";
import type { ValidateSettings } from "../schema.ts";
import { judgeCall, watchCall } from "./evaluate.ts";
import type { GrpcRules } from "./rules.ts";
import type { GrpcSettings } from "./schema.ts";

export interface CompiledCall {
  readonly judge: Part;
  watch(exchange: Exchange): BodyWatch | null;
}

/** What the rest of `validate` says. */
export interface CallOptions {
  readonly validate: ValidateSettings;
  readonly enforcePercent: number;
  readonly longBodies: LongBodies;
}

/** Prefixes, and what base64 makes of a body. */
const OVERHEAD_FACTOR = 1.4;
const OVERHEAD_BYTES = 1024;

/** `validate.grpc`; null, with a problem, where its settings are wrong. */
export function* compileGrpc(
  settings: GrpcSettings,
  options: CallOptions,
  context: RouteContext,
): Steps<CompiledCall | null> {
  const content = context.readFile(settings.file, "grpc", "file");
  if (content === null) return null;
  const read = yield* context.keep<Result<DescribedApi, string>>("grpc", [content], () =>
    readApi(content, context.clock),
  );
  if (read === null) return null;
  if (!read.ok) {
    context.problem(`'${settings.file}' ${read.error}`, "grpc", "file");
    return null;
  }
  const api = read.value;
  const method = findMethod(settings, api, context);
  if (method === null) return null;
  tellUnenforced(settings, api, context);
  if (method.clientStreaming && context.isBodyWanted())
    context.problem("a rule looks at members of the body, which passes message by message", "grpc");
  const rules = rulesOf(settings, method, api, options, context);
  return { judge: judgeCall(rules), watch: (exchange) => watchCall(exchange, rules) };
}

function findMethod(settings: GrpcSettings, api: DescribedApi, context: RouteContext): MethodType | null {
  const name = settings.method ?? context.template.split("/").slice(-2).join("/");
  const method = methodOf(api, name);
  if (method !== null) return method;
  const names = [...api.services.values()].flatMap(({ methods }) => methods.map(({ path }) => path.slice(1)));
  const path = settings.method === undefined ? ["grpc"] : ["grpc", "method"];
  context.problem(`'${settings.file}' has no method '${name}'; ${nearestHint(name, names)}`, ...path);
  return null;
}

function tellUnenforced({ file, rules }: GrpcSettings, { unenforced }: DescribedApi, context: RouteContext): void {
  if (rules === "ignore" || unenforced.length === 0) return;
  const named = unenforced.slice(0, DEFAULTS.openapiNamedMax).join(", ");
  const more = unenforced.length - DEFAULTS.openapiNamedMax;
  context.warning(
    "description_not_enforced",
    `'${file}': not enforced: ${named}${more > 0 ? ` and ${more} more` : ""}`,
    "grpc",
    "file",
  );
}

function rulesOf(
  settings: GrpcSettings,
  method: MethodType,
  api: DescribedApi,
  { validate, enforcePercent, longBodies }: CallOptions,
  context: RouteContext,
): GrpcRules {
  const messageBytesMax = settings.maxMessageBytes ?? DEFAULTS.messageBytesMax;
  if (messageBytesMax > DEFAULTS.bodiesInspectedBytesMax) {
    const most = `${DEFAULTS.bodiesInspectedBytesMax / 1024 ** 2}MiB`;
    context.problem(`messages are held in memory; expected at most ${most}`, "grpc", "maxMessageBytes");
  }
  const whole = Math.ceil(messageBytesMax * OVERHEAD_FACTOR) + OVERHEAD_BYTES;
  const streamed = validate.body?.maxBytes ?? Math.max(DEFAULTS.bodyBytesMax, whole);
  const bytesMax = method.clientStreaming ? streamed : Math.min(whole, validate.body?.maxBytes ?? whole);
  // A bound that is only tried out must not cut bodies off.
  const isEnforced = enforcePercent === 100;
  if (isEnforced) context.setBodyBytesMax(bytesMax);
  const own = context.place("grpc");
  const places = new Map<string, Place>(Object.keys(settings).map((key) => [key, context.place("grpc", key)]));
  const placeOf = (key: string): Place => places.get(key) ?? own;
  const hold: HoldRules = {
    bytesMax,
    collectedBytesMax: isEnforced ? bytesMax : Math.max(bytesMax, DEFAULTS.bodyBytesMax),
    bodies: context.memory.bodies,
    longBodies,
    clock: context.clock,
    place: placeOf("maxMessageBytes"),
  };
  const { unknownFields = "refuse" } = settings;
  return {
    method,
    protocols: settings.protocols ?? ["grpc"],
    message: {
      type: method.input,
      book: settings.rules === "ignore" ? null : api.book,
      // What is only tried out changes nothing; it tells what it would take off.
      unknownFields: unknownFields === "strip" && !isEnforced ? "refuse" : unknownFields,
    },
    messageBytesMax,
    inflates: settings.compression !== "refuse",
    ratioMax: validate.maxInflation ?? DEFAULTS.inflationMax,
    showsErrors: validate.errors !== "hidden",
    keepsValue: context.isBodyWanted(),
    hold,
    placeOf,
  };
}
