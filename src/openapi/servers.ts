import { DEFAULTS } from "../support/defaults.ts";
import type { Findings } from "./findings.ts";
import type { Spot } from "./spot.ts";

const NO_BASE: readonly string[] = [""];

/** Base paths of the servers at `spot`: of each its path, with every value that its variables may have. */
export function basesOf(spot: Spot | null, findings: Findings): readonly string[] {
  if (spot === null || !Array.isArray(spot.value) || spot.value.length === 0) return NO_BASE;
  const bases = new Set<string>();
  for (const [, server] of spot.all()) {
    for (const url of urlsOf(server, findings)) {
      const base = pathOf(url);
      if (base === null)
        findings.warning(server.place, `'url' has no path that can be read; its operations are not at that server`);
      else bases.add(base);
    }
  }
  if (bases.size > DEFAULTS.openapiBasesMax) {
    findings.warning(
      spot.place,
      `more than ${DEFAULTS.openapiBasesMax} base paths; only the first count. Say 'basePath' in the policy`,
    );
  }
  return bases.size === 0 ? NO_BASE : [...bases].slice(0, DEFAULTS.openapiBasesMax);
}

/** The server's URL with its variables filled in, each way that they allow; what stands in no path stays as it is. */
function urlsOf(server: Spot, findings: Findings): readonly string[] {
  const url = server.text("url");
  if (url === null) {
    findings.warning(server.place, "'url' is missing; the server is left out");
    return [];
  }
  let urls = [url];
  for (const name of new Set([...url.matchAll(/\{([^}]*)\}/g)].map((match) => match[1] ?? ""))) {
    const variable = server.at("variables")?.at(name) ?? null;
    const values = valuesOf(variable, isInPath(url, name));
    if (values.length === 0) {
      findings.warning(server.place, `the variable '${name}' has no default; the server is left out`);
      return [];
    }
    urls = urls.flatMap((one) => values.map((value) => one.replaceAll(`{${name}}`, value)));
    if (urls.length > DEFAULTS.openapiBasesMax) urls = urls.slice(0, DEFAULTS.openapiBasesMax + 1);
  }
  return urls;
}

function valuesOf(variable: Spot | null, isPath: boolean): readonly string[] {
  if (variable === null) return [];
  const { enum: choices, default: usual } = variable.members;
  const known = typeof usual === "string" || typeof usual === "number" ? [String(usual)] : [];
  // Host names and ports are not looked at: one value stands for all.
  if (!isPath) return known.length > 0 ? known : ["x"];
  const listed = Array.isArray(choices) ? choices.filter((one) => typeof one === "string") : [];
  return [...new Set([...known, ...listed])];
}

function isInPath(url: string, name: string): boolean {
  const authority = /^(?:[^/?#]*:)?\/\/[^/?#]*/.exec(url)?.[0] ?? "";
  return url.slice(authority.length).includes(`{${name}}`);
}

/** Null where it cannot be read. A URL without a scheme is relative to where the document lies, which is the service. */
function pathOf(url: string): string | null {
  const authority = /^(?:[^/?#]*:)?\/\/[^/?#]*/.exec(url)?.[0] ?? "";
  const path = url.slice(authority.length).split(/[?#]/, 1)[0] ?? "";
  if (path === "" || path === "/") return "";
  // AWS exports `https://…/{basePath}` whose default is `/prod`: two slashes would begin a host.
  const parsed = URL.parse(`/${path.replace(/^\/+/, "")}`, "http://service");
  return parsed === null ? null : parsed.pathname.replace(/\/+$/, "");
}
