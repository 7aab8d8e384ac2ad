import { namesSecret } from "../../attributes/attribute.ts";
import type { TestRequest } from "../../policy/tests/request-section.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { err, ok, type Result } from "../../support/result.ts";
import type { Operation } from "./operations.ts";

/** Collections of Postman, formats v2.0 and v2.1 (schema.getpostman.com/json/collection/v2.1.0). */

type Mapping = Readonly<Record<string, unknown>>;

export function isCollection(value: unknown): boolean {
  return (
    /\/collection\/v2\.\d/.test(String(mapping(mapping(value)["info"])["schema"])) &&
    Array.isArray(mapping(value)["item"])
  );
}

/**
 * Each request of a collection, with its variables filled in. `credentials`: headers that hold some, lower case. These stay out, and
 * so does what stands under a name of secrets, or is a secret to Postman.
 */
export function operationsIn(
  collection: unknown,
  credentials: ReadonlySet<string>,
): Result<readonly Operation[], string> {
  const top = mapping(collection);
  const found: Operation[] = [];
  const walk = (items: readonly unknown[], folders: readonly string[], outer: Variables): void => {
    for (const item of items.map(mapping)) {
      const names = [...folders, text(item["name"]) || "request"];
      const variables = new Map([...outer, ...variablesOf(item["variable"])]);
      if (Array.isArray(item["item"])) {
        if (names.length <= FOLDERS_MAX) walk(item["item"], names, variables);
      } else if (item["request"] !== undefined) found.push(operationOf(item["request"], names, variables, credentials));
    }
  };
  walk(listed(top["item"]), [], variablesOf(top["variable"]));
  return found.length === 0 ? err("holds no request") : ok(found);
}

const FOLDERS_MAX = 32;

type Variables = ReadonlyMap<string, string>;

function variablesOf(value: unknown): Variables {
  const entries = listed(value)
    .map(mapping)
    .filter(({ disabled }) => disabled !== true);
  const givenIn = (entry: Mapping): string => (entry["type"] === "secret" ? ANYTHING : text(entry["value"]));
  return new Map(entries.map((entry) => [text(entry["key"] ?? entry["id"]), givenIn(entry)]));
}

function operationOf(
  value: unknown,
  names: readonly string[],
  variables: Variables,
  credentials: ReadonlySet<string>,
): Operation {
  const request = typeof value === "string" ? { url: value } : mapping(value);
  const fill = (given: unknown): string => filled(text(given), variables);
  const method = (fill(request["method"]) || "GET").toUpperCase();
  const headers: Record<string, string> = {};
  for (const { key, value: given, disabled } of headersOf(request["header"])) {
    const name = fill(key);
    if (disabled === true || name === "" || credentials.has(name.toLowerCase()) || namesSecret(name)) continue;
    headers[name] = fill(given);
  }
  const body = bodyOf(mapping(request["body"]), fill);
  if (body !== null && !Object.keys(headers).some((name) => name.toLowerCase() === "content-type"))
    headers["Content-Type"] = body.type;
  const made: TestRequest & { path: string } = {
    method,
    path: pathOf(request["url"], fill),
    ...(Object.keys(headers).length === 0 ? {} : { headers }),
    ...(body === null ? {} : { body: body.text }),
  };
  return {
    title: names.join(" / ").slice(0, DEFAULTS.testNameCharactersMax - ROOM_FOR_CASES),
    action: method,
    request: made,
  };
}

/** A list, or the lines of a text. */
function headersOf(value: unknown): readonly Mapping[] {
  if (typeof value !== "string") return listed(value).map(mapping);
  return value.split(/\r?\n/).flatMap((line) => {
    const [, key, given = ""] = /^([^:\s]+):(.*)$/.exec(line) ?? [];
    return key === undefined ? [] : [{ key, value: given.trim() }];
  });
}

/** A matrix puts the words of each case behind the name. */
const ROOM_FOR_CASES = 128;

/** Path and query as a client would send them. */
function pathOf(url: unknown, fill: (given: unknown) => string): string {
  const { raw, path, query, variable } = typeof url === "string" ? { raw: url } : (mapping(url) as Mapping);
  const own = variablesOf(variable);
  const segments = Array.isArray(path)
    ? path.map((part) => text(typeof part === "string" ? part : mapping(part)["value"]))
    : text(
        path ??
          text(raw)
            .split(/[?#]/)[0]
            ?.replace(/^(?:[a-z][a-z0-9+.-]*:\/\/|\{\{[^}]*\}\})[^/]*/i, ""),
      )
        .split("/")
        .slice(1);
  const filledIn = (segments ?? []).map((part) => {
    const named = /^:(.+)$/.exec(part)?.[1];
    return escaped(named === undefined ? fill(part) : fill(own.get(named) || ANYTHING));
  });
  const pairs = Array.isArray(query)
    ? query
        .map(mapping)
        .filter(({ disabled }) => disabled !== true)
        .map(({ key, value }) => [fill(key), fill(value)] as const)
    : [...new URLSearchParams(fill(text(raw).split("?")[1] ?? ""))];
  const shown = pairs.filter(([key]) => !namesSecret(key));
  const search = shown.map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(value)}`).join("&");
  return `/${filledIn.join("/")}${search === "" ? "" : `?${search}`}`;
}

interface Body {
  readonly text: string;
  readonly type: string;
}

/** Null for none, and for those that are files. */
function bodyOf({ mode, raw, urlencoded, graphql, options }: Mapping, fill: (given: unknown) => string): Body | null {
  if (mode === "raw") {
    const language = text(mapping(mapping(options)["raw"])["language"]);
    const type = language === "json" || /^\s*[[{]/.test(text(raw)) ? "application/json" : "text/plain";
    return { text: withoutSecrets(fill(raw)), type };
  }
  if (mode === "urlencoded") {
    const pairs = listed(urlencoded)
      .map(mapping)
      .filter(({ disabled }) => disabled !== true);
    const form = new URLSearchParams(
      pairs.map(({ key, value }) => {
        const name = fill(key);
        return [name, namesSecret(name) ? ANYTHING : fill(value)];
      }),
    );
    return { text: form.toString(), type: "application/x-www-form-urlencoded" };
  }
  if (mode !== "graphql") return null;
  const { query, variables } = mapping(graphql);
  return { text: JSON.stringify({ query: fill(query), variables: jsonOf(fill(variables)) }), type: "application/json" };
}

const ANYTHING = "1";

/** JSON with anything where a text stands under a name of secrets; as it is where there is none, and what is no JSON. */
function withoutSecrets(given: string): string {
  let isOther = false;
  const reviver = (name: string, value: unknown): unknown => {
    if (typeof value !== "string" || !namesSecret(name)) return value;
    isOther = true;
    return ANYTHING;
  };
  try {
    const left: unknown = JSON.parse(given, reviver);
    return isOther ? JSON.stringify(left) : given;
  } catch {
    return given;
  }
}

/** `{{name}}`, also where its value has some; one that nobody has given is anything. */
function filled(given: string, variables: Variables, depth = 0): string {
  if (depth > VARIABLES_DEPTH_MAX) return given;
  return given.replace(/\{\{([^{}]*)\}\}/g, (_, name: string) => {
    const value = variables.get(name.trim());
    return value === undefined || value === "" ? ANYTHING : filled(value, variables, depth + 1);
  });
}

const VARIABLES_DEPTH_MAX = 8;

/** What is escaped already stays as it is. */
function escaped(segment: string): string {
  return encodeURIComponent(segment)
    .replace(/%25([0-9A-Fa-f]{2})/g, "%$1")
    .replace(/%(?:40|3A|2C|3B|3D|24|26|2B)/gi, decodeURIComponent);
}

function jsonOf(given: string): unknown {
  try {
    return JSON.parse(given);
  } catch {
    return undefined;
  }
}

function text(value: unknown): string {
  return typeof value === "string"
    ? value
    : typeof value === "number" || typeof value === "boolean"
      ? String(value)
      : "";
}

function listed(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function mapping(value: unknown): Mapping {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Mapping) : {};
}
