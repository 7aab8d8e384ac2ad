import type { Exchange } from "./exchange.ts";
import type { HeaderBlock } from "./headers.ts";

/**
 * What no browser of the family that the user agent names sends, and how much each says. Sources: Fetch Metadata (w3.org/TR/fetch-metadata)
 * is sent over TLS by Chromium since 80, Firefox since 90, Safari since 16.4; client hints (wicg.github.io/ua-client-hints) by
 * Chromium alone, since 89; all of them begin the headers of HTTP/1.1 with Host. Private modes, extensions and company proxies take
 * headers off as well, so that one of these alone says little.
 */
export const BROWSER_ANOMALIES = {
  user_agent_twice: 2,
  user_agent_not_ascii: 2,
  client_hints_missing: 2,
  client_hints_foreign: 3,
  fetch_metadata_missing: 2,
  navigation_accepts_anything: 2,
  language_missing: 1,
  encoding_missing: 1,
  host_not_first: 1,
} as const;

export type BrowserAnomaly = keyof typeof BROWSER_ANOMALIES;

interface Browser {
  readonly family: "chromium" | "firefox" | "safari";
  readonly version: number;
}

const NONE: readonly BrowserAnomaly[] = Object.freeze([]);
/** A longer user agent is none of a browser. */
const USER_AGENT_CHARS_MAX = 512;

/** Empty for whoever says to be no browser. */
export function browserAnomalies(exchange: Exchange): readonly BrowserAnomaly[] {
  const { headers } = exchange;
  const userAgent = headers.get("user-agent") ?? "";
  const found: BrowserAnomaly[] = [];
  if (headers.count("user-agent") > 1) found.push("user_agent_twice");
  if (/[^\x20-\x7e]/.test(userAgent)) found.push("user_agent_not_ascii");
  const browser = browserOf(userAgent);
  if (browser !== null) addBrowserAnomalies(exchange, browser, found);
  return found.length === 0 ? NONE : found;
}

function addBrowserAnomalies(exchange: Exchange, { family, version }: Browser, found: BrowserAnomaly[]): void {
  const { headers, connection } = exchange;
  const has = (name: string): boolean => headers.get(name) !== undefined;
  // Behind a proxy neither the order nor whether TLS protected the client is known.
  const isDirect = exchange.forwarding === null && connection.proxyPeer === null;
  if (isDirect && connection.secure) {
    if (family === "chromium" && version >= 89 && !has("sec-ch-ua")) found.push("client_hints_missing");
    const since = { chromium: 80, firefox: 90, safari: 17 }[family];
    if (version >= since && !has("sec-fetch-mode")) found.push("fetch_metadata_missing");
  }
  if (family !== "chromium" && has("sec-ch-ua")) found.push("client_hints_foreign");
  if (headers.get("sec-fetch-mode") === "navigate" && !acceptsPages(headers)) found.push("navigation_accepts_anything");
  if (!has("accept-language")) found.push("language_missing");
  if (!has("accept-encoding")) found.push("encoding_missing");
  if (isDirect && connection.protocol === "http/1.1" && headers.names[0] !== "host") found.push("host_not_first");
}

function acceptsPages(headers: HeaderBlock): boolean {
  return headers.get("accept")?.includes("text/html") === true;
}

/** Browsers of iOS are Safari within, whatever they are called. */
function browserOf(userAgent: string): Browser | null {
  if (!userAgent.startsWith("Mozilla/5.0 (") || userAgent.length > USER_AGENT_CHARS_MAX) return null;
  if (/compatible;|bot\b|crawler|spider/i.test(userAgent)) return null;
  const firefox = /\bFirefox\/(\d{1,4})/.exec(userAgent);
  if (firefox !== null) return { family: "firefox", version: Number(firefox[1]) };
  const chromium = /\bChrome\/(\d{1,4})/.exec(userAgent);
  if (chromium !== null) return { family: "chromium", version: Number(chromium[1]) };
  const safari = /\bVersion\/(\d{1,4})[\d.]* (?:Mobile\/\w+ )?Safari\//.exec(userAgent);
  return safari === null ? null : { family: "safari", version: Number(safari[1]) };
}
