import type { CompiledSchema } from "../../schema/compile.ts";
import type { Steps } from "../../support/turns.ts";
import type { RouteContext } from "../filter.ts";
import { Later } from "../lazy.ts";
import type { HoldRules, Part } from "./held-body.ts";
import type { ValidateSettings } from "./schema.ts";
import type { XmlSettings } from "./xml/schema.ts";

/** Languages of bodies that have a key of their own; a policy loads those that it names. */
const graphql = new Later("validate.graphql", () => import("./graphql/compile.ts"));

const jsonrpc = new Later("validate.jsonrpc", () => import("./jsonrpc/compile.ts"));

const xml = new Later("validate.xml", () => import("./xml/compile.ts"));

const LANGUAGES = { graphql, jsonrpc, xml } as const;

export type Language = keyof typeof LANGUAGES;

/** Media types of its bodies where `contentType` says nothing. */
export const LANGUAGE_TYPES: Readonly<Record<Language, readonly string[]>> = {
  graphql: ["application/json", "application/graphql+json"],
  jsonrpc: ["application/json"],
  xml: ["application/xml", "text/xml", "application/soap+xml"],
};

/** What each of the keys loads. */
export const LANGUAGE_PARTS: Readonly<Record<Language, () => Promise<void> | undefined>> = {
  graphql: graphql.prepare,
  jsonrpc: jsonrpc.prepare,
  xml: xml.prepare,
};

const NAMES = Object.keys(LANGUAGES) as Language[];

export function languageOf(settings: ValidateSettings): Language | null {
  return NAMES.find((name) => settings[name] !== undefined) ?? null;
}

/** The part that judges XML, of a media type beside others. */
export function compileXmlBody(
  settings: XmlSettings,
  showsErrors: boolean,
  hold: HoldRules,
  context: RouteContext,
  compileSchema: (name: string) => CompiledSchema | null,
): Part {
  return xml.get().compileXml(settings, showsErrors, hold, context, compileSchema);
}

/** The part that judges bodies of this language; null, with a problem, where the settings are wrong. */
export function* compileLanguage(
  language: Language,
  settings: ValidateSettings,
  held: Omit<HoldRules, "place">,
  context: RouteContext,
  compileSchema: (name: string, ...path: readonly string[]) => CompiledSchema | null,
): Steps<Part | null> {
  const others = NAMES.filter((name) => name !== language && settings[name] !== undefined);
  const schema = (["schema", "itemSchema"] as const).find((key) => settings.body?.[key] !== undefined);
  if (others.length > 0 || schema !== undefined) {
    const other = others[0] ?? `body.${schema}`;
    context.problem(`a body is judged as '${language}' or by '${other}'; take one of them out`, language);
    return null;
  }
  const hold: HoldRules = { ...held, place: context.place(language) };
  const showsErrors = settings.errors !== "hidden";
  if (settings.graphql !== undefined)
    return yield* graphql.get().compileGraphql(settings.graphql, showsErrors, hold, context);
  if (settings.jsonrpc !== undefined)
    return jsonrpc.get().compileJsonRpc(settings.jsonrpc, showsErrors, hold, context, compileSchema);
  if (settings.xml !== undefined) {
    const compileXmlSchema = (name: string): CompiledSchema | null => compileSchema(name, "xml", "schema");
    return xml.get().compileXml(settings.xml, showsErrors, hold, context, compileXmlSchema);
  }
  return null;
}
