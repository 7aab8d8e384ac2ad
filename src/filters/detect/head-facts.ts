import { isForm, isJson, isMultipart, isXml, mediaTypeOf } from "../../bodies/media-type.ts";
import { unescaped, unescapedFormInSteps } from "../../detection/byte-text.ts";
import type { BodyProcessor, NamedText, RequestFacts } from "../../detection/facts.ts";
import type { Exchange } from "../../message/exchange.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { atOnce, type Steps } from "../../support/turns.ts";
import { nestedStrings, nestedStringsInSteps } from "./json-strings.ts";
import type { ValueShapes } from "./value-shapes.ts";

const UNSHAPED = -1;

/** What rules can look at before the body. Header and target are bytes already: the codec reads them as latin1. */
export function headFacts(exchange: Exchange, pathNames: readonly string[], shapes: ValueShapes): RequestFacts {
  const { connection, target, method, receivedTarget } = exchange;
  const uri = receivedTarget === "" ? target.path + target.query : receivedTarget;
  return {
    method,
    uri,
    uriRaw: uri,
    path: unescaped(target.path),
    query: target.query.slice(1),
    protocol: connection.protocol === "h2" ? "HTTP/2.0" : "HTTP/1.1",
    remoteAddress: exchange.clientAddress.text,
    id: exchange.requestId ?? "",
    bodyProcessor: processorOf(typeOf(exchange)),
    headers: headersOf(exchange),
    cookies: cookiesOf(exchange),
    argsPath: pathArguments(exchange, pathNames, shapes),
    argsGet: formArguments(target.query.slice(1), (name) => shapes.ofQuery(name)),
  };
}

function headersOf({ headers: { names, values }, authority }: Exchange): NamedText[] {
  const list = names.map((name, at) => ({ name, value: values[at] ?? "", shape: UNSHAPED }));
  if (!names.includes("host") && authority !== "") list.unshift({ name: "host", value: authority, shape: UNSHAPED });
  return list;
}

function cookiesOf({ headers }: Exchange): NamedText[] {
  const list = headers.list("cookie");
  if (list === undefined) return [];
  const cookies = list
    .split(/;[ \t]*/)
    .filter((pair) => pair !== "")
    .flatMap((pair) => {
      const at = pair.indexOf("=");
      const [name, value] = at < 0 ? [pair, ""] : [pair.slice(0, at), pair.slice(at + 1)];
      return [{ name, value, shape: UNSHAPED }, ...nestedStrings(unescaped(value), name)];
    });
  return list.includes('"') ? [...cookies, ...quotedCookies(list)] : cookies;
}

const QUOTED_COOKIE = /(?:^|[;,])[ \t]*([^=;,"]*)="((?:[^"\\]|\\.)*)"/g;

/** To some (RFC 2109, Python) a semicolon within quotes is no end, and a backslash escapes, in octal digits too. */
function quotedCookies(list: string): NamedText[] {
  return [...list.matchAll(QUOTED_COOKIE)].flatMap(([, name = "", quoted = ""]) => {
    if (!/[;\\]/.test(quoted)) return [];
    const value = quoted.replace(/\\(?:([0-3][0-7]{2})|(.))/g, (_, octal: string | undefined, char = "") =>
      octal === undefined ? char : String.fromCharCode(Number.parseInt(octal, 8)),
    );
    return [{ name, value, shape: UNSHAPED }];
  });
}

/** Parameters of the route's path, under the names that conditions have for them; some service's query is made of each. */
function pathArguments({ params }: Exchange, names: readonly string[], shapes: ValueShapes): NamedText[] {
  return names.flatMap((name, at) => {
    const value = unescaped(params[at] ?? "");
    return value === "" ? [] : [{ name: `path.${name}`, value, shape: shapes.ofPath(name) }];
  });
}

/** Pairs of a query, as the most lenient service reads them. */
export function formArguments(text: string, shapeOf: (name: string) => number): NamedText[] {
  return atOnce(formArgumentsInSteps(text, shapeOf));
}

/** The same of a form. */
export function* formArgumentsInSteps(text: string, shapeOf: (name: string) => number): Steps<NamedText[]> {
  if (text === "") return [];
  // One more than the most, so that whoever counts them sees that there are too many.
  const pairs = text.split("&", DEFAULTS.detectValuesMax + 1);
  const values: NamedText[] = [];
  for (const pair of pairs) {
    if (pair === "") continue;
    const at = pair.indexOf("=");
    const name = yield* unescapedFormInSteps(at < 0 ? pair : pair.slice(0, at));
    const value = at < 0 ? "" : yield* unescapedFormInSteps(pair.slice(at + 1));
    values.push({ name, value, shape: shapeOf(name) }, ...(yield* nestedStringsInSteps(value, name)));
  }
  return values;
}

/** Media type of the body in lower case; empty where none is told. */
export function typeOf({ headers }: Exchange): string {
  return mediaTypeOf(headers.get("content-type") ?? "")?.type ?? "";
}

function processorOf(type: string): BodyProcessor {
  if (isJson(type)) return "JSON";
  if (isXml(type)) return "XML";
  if (isMultipart(type)) return "MULTIPART";
  return isForm(type) ? "URLENCODED" : "";
}
