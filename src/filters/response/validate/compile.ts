import { MediaRanges, rangeOf } from "../../../bodies/media-ranges.ts";
import { hasItems, isJson, isText } from "../../../bodies/media-type.ts";
import { Denial, type Place } from "../../../decision/verdict.ts";
import type { CompiledSchema } from "../../../schema/compile.ts";
import type { AnswerRules } from "../../../schema/requests.ts";
import { Sanitiser } from "../../../schema/sanitise/sanitiser.ts";
import { DEFAULTS } from "../../../support/defaults.ts";
import type { RouteContext } from "../../filter.ts";
import { compileNamedSchema } from "../../validate/body-schema.ts";
import { compileHeaders } from "../../validate/compile-parameters.ts";
import { compileBodySchema, compileParameterSchema } from "../../validate/engine.ts";
import type { LineRules } from "../../validate/held-body.ts";
import { longBodies } from "../../validate/long-bodies.ts";
import type { PartContext, ResponsePart } from "../part.ts";
import {
  type ContractRules,
  type DeclaredAnswer,
  type DeclaredContent,
  judgeAnswerBody,
  judgeAnswerHead,
} from "./evaluate.ts";
import { type AnswerContentSettings, type ContractSettings, contractSchema, type DeclaredSettings } from "./schema.ts";

type Path = readonly string[];

/** `validate`: what the service may answer. */
export const contractPart: ResponsePart<ContractSettings> = {
  schema: contractSchema,
  compile(settings, context) {
    checkSettings(settings, context);
    const answers = compileAnswers(settings, context);
    const rules: ContractRules = { answers, undeclared: undeclaredIn(settings, context), reading: context.reading };
    const judgesBody = [...answers.values()].some(({ content }) =>
      content?.some(({ body, items }) => body !== null || items !== null),
    );
    context.addResponseCheck({
      name: "validate",
      place: context.place(),
      enforcePercent: settings.mode ?? 100,
      judgesBody,
      judgeHead: (_, answer) => judgeAnswerHead(answer, rules),
      ...(judgesBody ? { judgeBody: (exchange, answer) => judgeAnswerBody(exchange, answer, rules) } : {}),
    });
  },
};

function checkSettings(settings: ContractSettings, context: PartContext): void {
  const { responses, status, headers, content } = settings;
  if (responses !== undefined) {
    for (const key of ["status", "headers", "content"] as const) {
      if (settings[key] !== undefined)
        context.problem("'responses' says it for each status; expected one of the two", key);
    }
  } else if (status === undefined && headers === undefined && content === undefined)
    context.problem("nothing is declared; expected 'status', 'headers', 'content' or 'responses'");
  if (settings.stripUndeclared === true && settings.undeclaredProperties === "refuse")
    context.problem("they come off by 'stripUndeclared'; expected one of the two", "undeclaredProperties");
}

/** Where no status is declared, those that say that it went well are held to the rest. */
function compileAnswers(settings: ContractSettings, context: PartContext): ReadonlyMap<string, DeclaredAnswer> {
  const { responses, status } = settings;
  if (responses === undefined) {
    const declared = compileDeclared(settings, [], settings, context);
    return new Map((status ?? ["2XX"]).map((key) => [key, declared]));
  }
  return new Map(
    Object.entries(responses).map(([key, own]) => {
      const declared = compileDeclared(own, ["responses", key], settings, context);
      return [key === "default" ? key : key.toUpperCase(), declared];
    }),
  );
}

function undeclaredIn(settings: ContractSettings, context: PartContext): ContractRules["undeclared"] {
  const { responses, status, undeclaredStatus = "refuse" } = settings;
  const declared = responses === undefined ? status : Object.keys(responses);
  if (declared === undefined || undeclaredStatus === "pass") return () => null;
  const place = context.place(responses === undefined ? "status" : "responses");
  const wanted = declared.join(", ");
  return (seen) => new Denial("response_invalid", place, `status ${seen}`, wanted);
}

function compileDeclared(
  { headers = {}, content }: DeclaredSettings,
  path: Path,
  settings: ContractSettings,
  context: PartContext,
): DeclaredAnswer {
  const entries = content === undefined ? null : Object.entries(content);
  return {
    headers: compileHeaders(headers, within(context, path), compileParameterSchema),
    ranges: new MediaRanges(entries?.map(([range]) => range) ?? []),
    content:
      entries?.map(([range, own]) => compileContent(range, own, [...path, "content", range], settings, context)) ??
      null,
    contentPlace: context.place(...path, "content"),
  };
}

function compileContent(
  range: string,
  { schema, itemSchema }: AnswerContentSettings,
  path: Path,
  settings: ContractSettings,
  context: PartContext,
): DeclaredContent {
  const type = rangeOf(range);
  const isRange = type?.includes("*") === true;
  const nothing = { body: null, items: null };
  if (type === null) {
    context.problem(`'${range}' is no media type; expected one as application/json or text/*`, ...path);
    return nothing;
  }
  if (schema !== undefined && itemSchema !== undefined)
    context.problem("expected one of the two, 'schema' or 'itemSchema'", ...path, "itemSchema");
  if (itemSchema !== undefined) {
    const at = [...path, "itemSchema"];
    if (!isRange && !hasItems(type)) context.problem(`'${range}' has no items; expected a type of a stream`, ...at);
    const compiled = compileSchema(itemSchema, at, DEFAULTS.answerEventBytesMax, settings, context);
    if (compiled === null) return nothing;
    const place = context.place(...at);
    return { body: null, items: { schema: compiled, line: lineOf(place, context), place } };
  }
  if (schema === undefined) return nothing;
  const at = [...path, "schema"];
  if (!isRange && !isJson(type) && !isText(type))
    context.problem(`the schema cannot look into '${range}'; expected a JSON type or text/plain`, ...at);
  const bytesMax = settings.maxBytes ?? DEFAULTS.bodyInspectedBytesMax;
  const compiled = compileSchema(schema, at, bytesMax, settings, context);
  if (compiled === null) return nothing;
  const place = context.place(...at);
  const line = lineOf(place, context);
  return { body: { schema: compiled, sanitiser: sanitiserOf(compiled, settings), bytesMax, line, place }, items: null };
}

function lineOf(place: Place, { clock }: PartContext): LineRules {
  return { clock, longBodies, place };
}

/** Whatever comes off is refused by the schema that has the last word. */
function viewOf({ writeOnly, undeclaredProperties, stripUndeclared }: ContractSettings): AnswerRules {
  return {
    writeOnly: writeOnly === "ignore" ? "ignore" : "refuse",
    undeclared: undeclaredProperties === "refuse" || stripUndeclared === true ? "refuse" : "ignore",
  };
}

function compileSchema(
  name: string,
  path: Path,
  bytesMax: number,
  settings: ContractSettings,
  context: PartContext,
): CompiledSchema | null {
  const options = { dialect: settings.dialect ?? "2020-12", refusesOtherCase: true, view: viewOf(settings) } as const;
  return compileNamedSchema(name, path, options, bytesMax, context, compileBodySchema);
}

function sanitiserOf({ root, judging }: CompiledSchema, settings: ContractSettings): Sanitiser | null {
  const unknown = settings.stripUndeclared === true;
  const readOnly = settings.writeOnly === "strip";
  if (!unknown && !readOnly) return null;
  // In a plan for answers what only one side sets is what clients do.
  const rules = { undeclared: unknown, unknown, readOnly, defaults: false };
  return new Sanitiser(root, rules, (source) => judging.patternOf(source));
}

/** The context as a part of the settings sees it. */
function within(context: PartContext, prefix: Path): RouteContext {
  return {
    ...context,
    place: (...path) => context.place(...prefix, ...path),
    problem: (text, ...path) => context.problem(text, ...prefix, ...path),
  };
}
