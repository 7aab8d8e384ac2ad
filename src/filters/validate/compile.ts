import { MediaRanges } from "../../bodies/media-ranges.ts";
import { defineFilter, type RouteContext } from "../filter.ts";
import { compileBody, compileEncoding, longBodies } from "./compile-body.ts";
import { compileParameters } from "./compile-parameters.ts";
import { compileBodySchema, compileParameterSchema } from "./engine.ts";
import { describeRequest, inOrder, judgeAnnouncedLength, judgeContentType } from "./evaluate.ts";
import type { CompiledForm } from "./form/compile.ts";
import { LANGUAGE_PARTS, languageOf } from "./languages.ts";
import type { SyncPart } from "./parameter-parts.ts";
import { FORM, INFLATE, ITEMS, SANITISE } from "./parts.ts";
import { isSanitising } from "./sanitising.ts";
import { type ValidateSettings, validateSchema } from "./schema.ts";

/** `validate`: whether parameters, headers and body have the form that the policy says. */
export const validateFilter = defineFilter<ValidateSettings>({
  name: "validate",
  defaults: "override",
  schema: validateSchema,
  prepare(settings) {
    const loading = [namesItems(settings) && ITEMS.prepare(), isSanitising(settings) && SANITISE.prepare()];
    const pending = loading.filter((one) => one instanceof Promise);
    return pending.length === 0 ? undefined : Promise.all(pending).then(() => undefined);
  },
  parts: { ...LANGUAGE_PARTS, form: FORM.prepare, contentEncoding: INFLATE.prepare },
  *compile(settings, context) {
    const enforcePercent = settings.mode ?? 100;
    const form = compileFormPart(settings, enforcePercent, context);
    const body = form === null ? yield* compileBody(settings, enforcePercent, context, compileBodySchema) : null;
    const head = form === null ? (body?.head ?? []) : headOfForm(form, settings, context);
    const whole = form === null ? (body?.whole ?? null) : form.judge;
    const parts = [...compileParameters(settings, context, compileParameterSchema), ...head];
    if (parts.length === 0 && whole === null) {
      const expected = "contentType, body, form, graphql, jsonrpc, xml, path, query, queryString, headers or cookies";
      context.problem(`nothing is validated; expected ${expected}`);
      return;
    }
    const watch = form?.watch ?? body?.watch ?? null;
    context.addCheck({
      name: "validate",
      phase: "validate",
      place: context.place(),
      enforcePercent,
      evaluate: inOrder(parts, whole),
      ...(watch === null ? {} : { watch }),
      ...(settings.jsonrpc === undefined ? {} : { refusals: "jsonrpc" as const }),
      explain: describeRequest,
    });
  },
});

/** Whether settings, as a policy has them, have a schema of items; so do any settings. */
function namesItems(settings: unknown): boolean {
  if (settings === undefined) return true;
  const body = memberOf(settings, "body");
  const content = memberOf(body, "content");
  const entries = typeof content === "object" && content !== null ? Object.values(content) : [];
  return [body, ...entries].some((entry) => memberOf(entry, "itemSchema") !== undefined);
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
  const options = { contentType, enforcePercent, showsErrors: errors !== "hidden", longBodies };
  return FORM.get().compileForm(form, options, context);
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
