import { serializeInnerList, serializeItem } from "structured-headers";
import type { Exchange } from "../message/exchange.ts";
import { err, ok, type Result } from "../support/result.ts";
import { askedOf } from "./asked.ts";
import { type Item, isInnerList, readDictionary } from "./structured.ts";

/** Parameters of a component that mean something here; another one changes a meaning that nobody here knows. */
const PARAMETERS: ReadonlySet<string> = new Set(["name", "key", "bs"]);

/**
 * The value of one component of a request (RFC 9421 section 2), or why it has none. `target` is the request target to take: as
 * it came, or canonical.
 */
export function componentValue([name, parameters]: Item, exchange: Exchange, target: string): Result<string, string> {
  if (typeof name !== "string") return err("a component that is no text");
  const stray = [...parameters.keys()].find((key) => !PARAMETERS.has(key));
  if (stray !== undefined) return err(`parameter ${stray} of a component`);
  const queryName = parameters.get("name");
  if (name === "@query-param") {
    return typeof queryName === "string" && parameters.size === 1
      ? queryParameter(target, queryName)
      : err("@query-param without name");
  }
  if (!name.startsWith("@"))
    return queryName === undefined ? field(name, parameters, exchange) : err("name of a field");
  return parameters.size === 0 ? derived(name, exchange, target) : err(`parameters of ${name}`);
}

function derived(name: string, exchange: Exchange, target: string): Result<string, string> {
  const { scheme, authority } = askedOf(exchange);
  const queryAt = target.indexOf("?");
  switch (name) {
    case "@method":
      return ok(exchange.method);
    case "@authority":
      return ok(authority);
    case "@scheme":
      return ok(scheme);
    case "@target-uri":
      return ok(`${scheme}://${authority}${target}`);
    case "@request-target":
      return ok(target);
    case "@path":
      return ok(queryAt < 0 ? target : target.slice(0, queryAt));
    case "@query":
      return ok(queryAt < 0 ? "?" : target.slice(queryAt));
    default:
      return err("a derived component that requests do not have");
  }
}

/** RFC 9421 section 2.2.8: parsed as a form and escaped anew; a name that comes twice has no one value. */
function queryParameter(target: string, name: string): Result<string, string> {
  const queryAt = target.indexOf("?");
  const values = new URLSearchParams(queryAt < 0 ? "" : target.slice(queryAt)).entries();
  const found = [...values].filter(([other]) => formEscaped(other) === name);
  const [only] = found;
  return found.length === 1 && only !== undefined ? ok(formEscaped(only[1])) : err(`a parameter ${found.length} times`);
}

function formEscaped(text: string): string {
  const escaped = (char: string): string => `%${char.charCodeAt(0).toString(16).toUpperCase()}`;
  return encodeURIComponent(text.toWellFormed()).replace(/[!'()~]/g, escaped);
}

function field(name: string, parameters: Item[1], exchange: Exchange): Result<string, string> {
  const { headers } = exchange;
  if (!/^[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(name)) return err("a name that no field has, or not in lower case");
  const values = headers.values.filter((_, at) => headers.names[at] === name);
  if (values.length === 0) return err(`no field ${name}`);
  const key = parameters.get("key");
  const isBytes = parameters.get("bs");
  if (isBytes !== undefined) {
    if (isBytes !== true || key !== undefined) return err("parameter bs of a component");
    return ok(values.map((value) => `:${Buffer.from(value, "latin1").toString("base64")}:`).join(", "));
  }
  if (key === undefined) return ok(values.join(", "));
  const members = readDictionary(values.join(", "));
  const member = members.ok && typeof key === "string" ? members.value.get(key) : undefined;
  if (member === undefined) return err(`no member of ${name} with that key`);
  return ok(isInnerList(member) ? serializeInnerList(member) : serializeItem(member));
}
