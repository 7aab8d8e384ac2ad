import { isIP } from "node:net";
import { err, ok, type Result } from "../support/result.ts";

/**
 * Text → where to call. In the clear only to this machine: whoever stands on the way could answer in another's name, and
 * what such an endpoint answers decides who gets in.
 */
export function callUrl(text: string): Result<URL, string> {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !["https:", "http:"].includes(url.protocol)) {
    return err("expected an https: URL, as in https://id.example.org/keys");
  }
  if (url.username !== "" || url.password !== "") return err("expected a URL without a name and password in it");
  if (url.hash !== "") return err("expected a URL without '#'");
  if (url.protocol === "http:" && !isThisMachine(url)) {
    return err("in the clear, whoever stands on the way could answer; expected https:, or http: to this machine");
  }
  return ok(url);
}

/** `localhost` and loopback addresses. */
export function isThisMachine(url: URL): boolean {
  const host = hostOf(url);
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

/** Hosts of URLs that a policy names, for `CallSettings.namedHosts`. */
export function hostsOf(urls: readonly URL[]): ReadonlySet<string> {
  return new Set(urls.map(hostOf));
}

/** Lower case, an IPv6 address without its brackets. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, "");
}
