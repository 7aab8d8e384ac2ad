import { type Description, type DescriptionPlace, readDescription } from "../../openapi/description.ts";
import type { ReadNamed } from "../../openapi/files.ts";
import { Findings } from "../../openapi/findings.ts";
import type { SecurityScheme } from "../../openapi/operation.ts";
import type { Steps } from "../../support/turns.ts";
import type { AnswersSettings } from "./answers-section.ts";
import { entriesOf, type OperationEntry } from "./entries.ts";
import { USUAL_LOWERING } from "./lowering.ts";

/** A description as a policy of its own. */
export interface Amount {
  readonly description: Description;
  readonly entries: readonly OperationEntry[];
  /** Name → settings: what to fill in is in them as it would be usual. */
  readonly authenticators: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly service: string;
}

export interface AmountFindings {
  /** Null where the description has problems. */
  readonly amount: Amount | null;
  readonly found: readonly Findings[];
}

/** What a description says as routes, with an authenticator for each of its security schemes. `answers`: null without theirs. */
export function* amountOf(
  place: DescriptionPlace,
  bases: readonly string[] | null,
  answers: AnswersSettings | null,
  read: ReadNamed,
): Steps<AmountFindings> {
  const { description, findings } = yield* readDescription(place, read);
  if (description === null) return { amount: null, found: [findings] };
  const names = new Map([...description.schemes.keys()].map((name) => [name, authenticatorName(name)]));
  const service = serviceName(description.title);
  const all = Object.fromEntries(
    [...description.schemes.values()].map((scheme) => [
      names.get(scheme.name) ?? scheme.name,
      settingsOf(scheme, service),
    ]),
  );
  const types = new Map<string, unknown>(Object.entries(all).map(([name, { type }]) => [name, type]));
  const rules = {
    schemes: description.schemes,
    mapping: { written: Object.fromEntries(names), authenticators: types.set("anonymous", "anonymous") },
    isPublic: true,
    hasDefault: false,
    hasDefaultCors: false,
    extensions: [],
    bases,
    lowering: { ...USUAL_LOWERING, answers },
  };
  const own = new Findings();
  const entries = yield* entriesOf(description, rules, own);
  for (const { fault } of entries) if (fault !== null) own.problem(fault.place, fault.text);
  const used = JSON.stringify(entries.map(({ entry }) => entry.value["authenticate"]));
  const authenticators = Object.fromEntries(
    Object.entries({ ...all, anonymous: { type: "anonymous" } }).filter(([name]) =>
      used.includes(JSON.stringify(name)),
    ),
  );
  const found = [findings, own];
  return { amount: own.problems.length > 0 ? null : { description, entries, authenticators, service }, found };
}

function authenticatorName(scheme: string): string {
  const plain = scheme.replace(/[^A-Za-z0-9_.-]/g, "_").slice(0, 60);
  return /^[A-Za-z]/.test(plain) ? plain : `s${plain}`;
}

function serviceName(title: string | null): string {
  const plain = (title ?? "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+|-+$/g, "")
    .slice(0, 40);
  return plain === "" ? "service" : plain;
}

/** What knows callers of a scheme, as far as the document says; the rest is a guess that its user mends. */
function settingsOf(scheme: SecurityScheme, service: string): Readonly<Record<string, unknown>> {
  switch (scheme.kind) {
    case "apiKey":
      return scheme.in === "header" && scheme.parameter !== null
        ? { type: "api-key", header: scheme.parameter, keys: "keys.yaml" }
        : { type: "api-key", [scheme.in ?? "header"]: scheme.parameter ?? "X-Api-Key", keys: "keys.yaml" };
    case "basic":
      return { type: "basic", users: "users.yaml" };
    case "mutualTLS":
      return { type: "client-certificate", trustDomain: "example.org" };
    default:
      return { type: "jwt", issuer: issuerOf(scheme), audience: audienceOf(scheme, service), algorithms: ["RS256"] };
  }
}

function audienceOf({ audience }: SecurityScheme, service: string): readonly string[] {
  return audience.length > 0 ? audience : [service];
}

function issuerOf({ issuer, openIdConnectUrl, tokenUrl }: SecurityScheme): string {
  if (issuer !== null) return issuer;
  const known = openIdConnectUrl?.replace(/\/\.well-known\/.*$/, "");
  if (known?.startsWith("https://")) return known;
  const url = tokenUrl === null ? null : URL.parse(tokenUrl);
  return url?.protocol === "https:" ? url.origin : "https://issuer.example.org";
}
