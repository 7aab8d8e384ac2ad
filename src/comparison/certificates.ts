import { asksForCertificates } from "../rehearsal/described-request.ts";
import type { SupposedCertificate } from "../rehearsal/supposed-certificate.ts";
import { edgesOf } from "./address-edges.ts";
import type { Conjunct } from "./atoms.ts";
import { settingsOf, textsOf } from "./settings.ts";
import type { Side } from "./sides.ts";

/** One that an authenticator lets in, or nearly. */
export interface ShownCertificate {
  readonly authenticator: string;
  readonly certificate: SupposedCertificate;
}

/** Keys of an authenticator → what of a certificate meets an entry. */
const KEYS: Readonly<Record<string, (entry: string) => readonly SupposedCertificate[]>> = {
  trustDomain: (domain) => [{ spiffeId: `spiffe://${domain}/x` }],
  spiffeIds: (pattern) => [{ spiffeId: withoutStars(pattern) }],
  dnsNames: (name) => [{ dnsNames: [name.replace(/^\*/, "x")] }],
  uris: (pattern) => [{ uris: [withoutStars(pattern)] }],
  emails: (email) => [{ emails: [email.replace(/^\*/, "x")] }],
  addresses: (prefix) => edgesOf(prefix).map((address) => ({ addresses: [address] })),
  subjects: (subject) => [{ subject }],
  issuers: (issuer) => [{ issuer }],
  serials: (serial) => [
    {
      serialNumber: serial
        .replaceAll(":", "")
        .toUpperCase()
        .replace(/^0+(?=.)/, ""),
    },
  ],
  fingerprints: (fingerprint) => [{ fingerprint: fingerprint.replaceAll(":", "").toLowerCase() }],
};

/** A client that has one, and is nobody's in particular. */
const STRANGER: SupposedCertificate = { subject: "CN=client" };

/** Certificates that clients of the two policies show, where the listener of either asks for some. */
export class Certificates {
  /** No listener asks for any: then none is tried. */
  readonly areAsked: boolean;
  /** What everybody shows, since without one nobody gets in; null where many have none. */
  readonly usual: SupposedCertificate | null;
  readonly shown: readonly ShownCertificate[];

  constructor(sides: readonly Side[]) {
    const listeners = sides.flatMap(({ snapshot }) => snapshot.listeners.slice(0, 1));
    this.areAsked = listeners.some(asksForCertificates);
    this.usual = listeners.some(({ tls }) => tls?.clientCertificate === "required") ? STRANGER : null;
    this.shown = this.areAsked ? sides.flatMap(shownBy) : [];
  }
}

/** For each authenticator one that meets all of its keys, the same with each other entry, and without each key. */
function shownBy({ snapshot, section }: Side): readonly ShownCertificate[] {
  return [...snapshot.authenticators.values()]
    .filter(({ type }) => type === "client-certificate")
    .flatMap(({ name }) => {
      const ways = Object.entries(settingsOf(section(`authenticators.${name}`))).flatMap(([key, value]) => {
        const entries = textsOf(value).flatMap((entry) => KEYS[key]?.(entry) ?? []);
        return entries.length === 0 ? [] : [entries];
      });
      const base: SupposedCertificate = Object.assign({ ...STRANGER }, ...ways.map(([first]) => first));
      const others = ways.flatMap((entries) => entries.slice(1).map((entry) => ({ ...base, ...entry })));
      const less = ways.map(
        (_, at): SupposedCertificate =>
          Object.assign({ ...STRANGER }, ...ways.toSpliced(at, 1).map(([first]) => first)),
      );
      return [base, ...others, ...less, STRANGER].map((certificate) => ({ authenticator: name, certificate }));
    });
}

/** An ID that the pattern is for. */
export function withoutStars(pattern: string): string {
  return pattern.replace(/\/\*\*$/, "/x").replace(/\/\*(?=\/|$)/g, "/x");
}

const LISTS: ReadonlySet<string> = new Set(["dnsNames", "uris", "emails", "addresses"]);

/** The certificate with what a rule wants of it; `callers` names one by its SPIFFE ID or its subject. */
export function certificateWith(
  shown: SupposedCertificate | null,
  conjunct: Conjunct,
  areAsked: boolean,
): SupposedCertificate | null {
  if (!areAsked) return null;
  const wanted = conjunct.flatMap((atom): [string, string][] => {
    if (atom.at === "certificate") return [[atom.name, atom.value]];
    if (atom.at !== "caller" || shown === null) return [];
    return [[atom.value.startsWith("spiffe://") ? "spiffeId" : "subject", atom.value]];
  });
  if (wanted.length === 0) return shown;
  const made = wanted.map(([name, value]) => [name, LISTS.has(name) ? [value] : value] as const);
  return { ...(shown ?? STRANGER), ...Object.fromEntries(made) };
}
