import type { SchemaPlace } from "../schema/document.ts";
import { isMembers, type Members } from "./spot.ts";

export const CORS_EXTENSIONS = ["x-amazon-apigateway-cors", "x-kong-plugin-cors", "x-wso2-cors"] as const;
export type CorsExtensionName = (typeof CORS_EXTENSIONS)[number];

/** What another gateway lets pages of other origins do, in its own words but under one set of names. */
export interface CorsExtension {
  readonly name: CorsExtensionName;
  readonly place: SchemaPlace;
  /** Why it has no meaning here, whatever its origins; null for none. */
  readonly fault: string | null;
  readonly origins: readonly string[];
  /** Null for all. */
  readonly methods: readonly string[] | null;
  readonly headers: readonly string[];
  readonly exposeHeaders: readonly string[];
  readonly credentials: boolean;
  /** Null for what the gateway takes. */
  readonly maxAgeSeconds: number | null;
}

/** Null for what is switched off. */
export function corsExtension(name: CorsExtensionName, value: unknown, place: SchemaPlace): CorsExtension | null {
  if (!isMembers(value)) return null;
  if (name === "x-amazon-apigateway-cors") return ofAws(value, place);
  return name === "x-wso2-cors" ? ofWso2(value, place) : ofKong(value, place);
}

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html */
function ofAws(value: Members, place: SchemaPlace): CorsExtension {
  const methods = textsOf(value["allowMethods"]);
  return {
    name: "x-amazon-apigateway-cors",
    place,
    fault: null,
    origins: textsOf(value["allowOrigins"]),
    methods: methods.length === 0 || methods.includes("*") ? null : methods,
    headers: textsOf(value["allowHeaders"]),
    exposeHeaders: textsOf(value["exposeHeaders"]),
    credentials: value["allowCredentials"] === true,
    maxAgeSeconds: ageOf(value["maxAge"]),
  };
}

/** https://docs.konghq.com/hub/kong-inc/cors: origins may be regular expressions, and are all of them where there are none. */
function ofKong(plugin: Members, place: SchemaPlace): CorsExtension | null {
  if (plugin["enabled"] === false) return null;
  const config = isMembers(plugin["config"]) ? plugin["config"] : {};
  const origins = textsOf(config["origins"]);
  const methods = textsOf(config["methods"]);
  return {
    name: "x-kong-plugin-cors",
    place,
    fault: config["preflight_continue"] === true ? "the service answers preflights" : null,
    origins: origins.length === 0 ? ["*"] : origins,
    methods: methods.length === 0 ? null : methods,
    headers: textsOf(config["headers"]),
    exposeHeaders: textsOf(config["exposed_headers"]),
    credentials: config["credentials"] === true,
    maxAgeSeconds: ageOf(config["max_age"]),
  };
}

/** API Manager writes `accessControlAllowOrigins`, its gateways of definitions `access-control-allow-origins`. */
function ofWso2(value: Members, place: SchemaPlace): CorsExtension | null {
  const of = (word: string): unknown =>
    value[`accessControl${word}`] ??
    value[`access-control${word.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`];
  if (value["corsConfigurationEnabled"] === false) return null;
  const methods = textsOf(of("AllowMethods"));
  return {
    name: "x-wso2-cors",
    place,
    fault: null,
    origins: textsOf(of("AllowOrigins")),
    methods: methods.length === 0 || methods.includes("*") ? null : methods,
    headers: textsOf(of("AllowHeaders")),
    exposeHeaders: textsOf(of("ExposeHeaders")),
    credentials: of("AllowCredentials") === true,
    maxAgeSeconds: null,
  };
}

function ageOf(value: unknown): number | null {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 ? value : null;
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}
