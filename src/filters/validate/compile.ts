import { MediaRanges } from "../../bodies/media-ranges.ts";
import type { CompiledSchema } from "../../schema/compile.ts";
import type { Steps } from "../../support/turns.ts";
import { defineFilter, type RouteContext } from "../filter.ts";
import { compileSchemaAt } from "./body-schema.ts";
import { compileBody, compileEncoding } from "./compile-body.ts";
import { compileParameters } from "./compile-parameters.ts";
import { compileBodySchema, compileParameterSchema } from "./engine.ts";
import { describeRequest, inOrder, judgeAnnouncedLength, judgeContentType } from "./evaluate.ts";
import type { CompiledForm } from "./form/compile.ts";
import type { CompiledCall } from "./grpc/compile.ts";
import { LANGUAGE_PARTS, languageOf } from "./languages.ts";
import { longBodies } from "./long-bodies.ts";
import type { SyncPart } from "./parameter-parts.ts";
import { FORM, GRPC, INFLATE, ITEMS, LEAKS, PARTS, SANITISE } from "./parts.ts";
import { isSanitising } from "./sanitising.ts";
import { type ValidateSettings, validateSchema } from "./schema.ts";

/** `validate`: whether parameters, headers and body have the form that the policy says. */
export const validateFilter = defineFilter<ValidateSettings>({
  name: "validate",
  defaults: "override",
  schema: validateSchema,
  prepare(settings) {
    const loading = [
      nestedLoads(settings, "itemSchema", ITEMS.prepare),
      nestedLoads(settings, "form", FORM.prepare),
      nestedLoads(settings, "parts", PARTS.prepare),
      nestedLoads(settings, "xml", LANGUAGE_PARTS.xml),
      isSanitising(settings) ? SANITISE.prepare() : undefined,
    ].filter((one) => one !== undefined);
    return loading.length === 0 ? undefined : Promise.all(loading).then(() => undefined);
  },
  parts: {
    ...LANGUAGE_PARTS,
    form: FORM.prepare,
    grpc: GRPC.prepare,
    leaks: LEAKS.prepare,
    contentEncoding: INFLATE.prepare,
  },
  *compile(settings, context) {
    const enforcePercent = settings.mode ?? 100;
    context.takeTypes(settings.contentType ?? Object.keys(settings.body?.content ?? {}));
    if (settings.grpc !== undefined) context.takeTypes(["application/grpc"]);
    const form = compileFormPart(settings, enforcePercent, context);
    const call = yield* compileCallPart(settings, enforcePercent, context);
    const own = form ?? call;
    const body = own === null ? yield* compileBody(settings, enforcePercent, context, compileBodySchema) : null;
    const head = form === null ? (body?.head ?? []) : headOfForm(form, settings, context);
    const whole = own === null ? (body?.whole ?? null) : own.judge;
    const parts = [...compileParameters(settings, context, compileParameterSchema), ...head];
    const isJudged = parts.length > 0 || whole !== null;
    if (isJudged) {
      const watch = own?.watch ?? body?.watch ?? null;
      context.addCheck({
        name: "validate",
        phase: "validate",
        place: context.place(),
        enforcePercent,
        judgesBody: whole !== null || watch !== null,
        evaluate: inOrder(parts, whole),
        ...(watch === null ? {} : { watch }),
        ...(settings.jsonrpc === undefined ? {} : { refusals: "jsonrpc" as const }),
        ...(settings.grpc?.protocols?.includes("connect") === true ? { refusals: "connect" as const } : {}),
        explain: describeRequest,
      });
    } else if (settings.grpc === undefined && settings.leaks === undefined) {
      const expected =
        "contentType, body, form, grpc, graphql, jsonrpc, xml, path, query, queryString, headers, cookies or leaks";
      context.problem(`nothing is validated; expected ${expected}`);
    }
    compileLeakPart(settings, enforcePercent, context);
  },
});

/** Loads what bodies, or those of one media type, need that have this key in settings as a policy has them; so may any. */
function nestedLoads(settings: unknown, key: string, load: () => Promise<void> | undefined): Promise<void> | undefined {
  const body = memberOf(settings, "body");
  const content = memberOf(body, "content");
  const entries = typeof content === "object" && content !== null ? Object.values(content) : [];
  const isUsed = settings === undefined || [body, ...entries].some((entry) => memberOf(entry, key) !== undefined);
  return isUsed ? load() : undefined;
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}

function compileFormPart(
  settings: ValidateSettings,
  enforcePercent: number,
  context: RouteContext,
): CompiledForm | null {
  const { form, body, contentType, errors } = settings;
  if (form === undefined) return null;
  const other = body === undefined ? languageOf(settings) : "body";
  if (other !== null) {
    context.problem(`both '${other}' and 'form'; expected one of them ('form' has maxBytes, too)`, other);
    return null;
  }
  const compileSchema = (name: string, bytesMax: number, ...path: readonly string[]): CompiledSchema | null =>
    compileSchemaAt(name, path, settings, bytesMax, context, compileBodySchema);
  const options = { contentType, enforcePercent, showsErrors: errors !== "hidden", longBodies, compileSchema };
  return FORM.get().compileForm(form, options, context);
}

function* compileCallPart(
  settings: ValidateSettings,
  enforcePercent: number,
  context: RouteContext,
): Steps<CompiledCall | null> {
  const { grpc, form, body, contentType, contentEncoding } = settings;
  if (grpc === undefined) return null;
  const { maxBytes: _, ...more } = body ?? {};
  const [inBody] = Object.keys(more);
  const other =
    form !== undefined
      ? "form"
      : inBody !== undefined
        ? `body.${inBody}`
        : contentType !== undefined
          ? "contentType"
          : contentEncoding !== undefined
            ? "contentEncoding"
            : languageOf(settings);
  if (other !== null) {
    context.problem(`'grpc' says what bodies are; take '${other}' out`, ...other.split("."));
    return null;
  }
  return yield* GRPC.get().compileGrpc(grpc, { validate: settings, enforcePercent, longBodies }, context);
}

function compileLeakPart(settings: ValidateSettings, enforcePercent: number, context: RouteContext): void {
  const { leaks } = settings;
  if (leaks === undefined) return;
  const encoding = compileEncoding(settings, ["leaks"], context);
  const check = LEAKS.get().compileRequestLeaks(leaks, { enforcePercent, longBodies, encoding }, context);
  if (check !== null) context.addCheck(check);
}

/** What the head alone shows of a form. */
function headOfForm(form: CompiledForm, settings: ValidateSettings, context: RouteContext): readonly SyncPart[] {
  const place = context.place(settings.contentType === undefined ? "form" : "contentType");
  return [
    judgeContentType(new MediaRanges(form.types), [], false, place),
    judgeAnnouncedLength(form.bytesMax, context.place("form", "maxBytes")),
    compileEncoding(settings, ["form"], context),
  ];
}
