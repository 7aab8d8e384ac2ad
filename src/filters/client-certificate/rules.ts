import { buildCidrTable } from "../../matching/cidr-table.ts";
import { parseAddress } from "../../message/address.ts";
import { publicKeyHash } from "../../message/certificate.ts";
import type { ClientCertificate } from "../../message/connection.ts";
import { canonicalName } from "../../message/distinguished-name.ts";
import type { CompileContext } from "../filter.ts";
import type { IdentityRule } from "./evaluate.ts";
import { dnsPattern, emailPattern, pathPattern } from "./patterns.ts";
import { type ClientCertificateSettings, plainSerial } from "./schema.ts";

type Key = Exclude<keyof ClientCertificateSettings, "type">;
type Met = (certificate: ClientCertificate) => boolean;

/** One key of the policy → what it asks for, and whether a certificate has it. */
type MakeRule<K extends Key> = (
  entries: NonNullable<ClientCertificateSettings[K]>,
  context: CompileContext,
) => readonly [wanted: string, met: Met];

/** In the order in which they are asked. */
const RULES: { readonly [K in Key]: MakeRule<K> } = {
  trustDomain: (domain) => {
    // With the slash, so that example.org is not also example.org.attacker.net.
    const prefix = `spiffe://${domain}/`;
    return [`a SPIFFE ID in ${domain}`, ({ spiffeId }) => spiffeId?.startsWith(prefix) ?? false];
  },
  spiffeIds: (ids) => {
    const matches = anyOf(ids.map(pathPattern));
    return [`a SPIFFE ID of ${ids.join(", ")}`, ({ spiffeId }) => spiffeId !== null && matches(spiffeId)];
  },
  dnsNames: (names) => {
    const matches = anyOf(names.map(dnsPattern));
    return [`a DNS name of ${names.join(", ")}`, ({ dnsNames }) => dnsNames.some(matches)];
  },
  uris: (uris) => {
    const matches = anyOf(uris.map(pathPattern));
    return [`a URI of ${uris.join(", ")}`, (certificate) => certificate.uris.some(matches)];
  },
  emails: (emails) => {
    const matches = anyOf(emails.map(emailPattern));
    return [`an e-mail address of ${emails.join(", ")}`, (certificate) => certificate.emails.some(matches)];
  },
  addresses: (prefixes, context) => {
    const table = buildCidrTable(prefixes);
    if (!table.ok) for (const { text, index } of table.error) context.problem(text, "addresses", index);
    const has = (text: string): boolean => {
      const address = parseAddress(text);
      return table.ok && address !== null && table.value.has(address);
    };
    return [`an IP address of ${prefixes.join(", ")}`, ({ addresses }) => addresses.some(has)];
  },
  subjects: (subjects) => {
    const isOne = nameIn(subjects);
    return [`a subject of ${subjects.join("; ")}`, ({ subject }) => isOne(subject)];
  },
  issuers: (issuers) => {
    const isOne = nameIn(issuers);
    return [`an issuer of ${issuers.join("; ")}`, ({ issuer }) => isOne(issuer)];
  },
  serials: (serials) => {
    const known = new Set(serials);
    return ["one of the serial numbers", ({ serialNumber }) => known.has(plainSerial(serialNumber) ?? "")];
  },
  publicKeys: (pins) => {
    const known = new Set(pins);
    return ["one of the pinned public keys", (certificate) => known.has(publicKeyHash(certificate) ?? "")];
  },
  fingerprints: (fingerprints) => {
    const known = new Set(fingerprints);
    return ["one of the pinned fingerprints", ({ fingerprint }) => known.has(fingerprint)];
  },
};

/** Every key that the policy gives is one rule; a certificate has to meet them all. */
export function identityRules(settings: ClientCertificateSettings, context: CompileContext): readonly IdentityRule[] {
  if (settings.serials !== undefined && settings.issuers === undefined) {
    context.warning(
      "serial_ambiguous",
      "another authority of 'ca' may give the same number; expected 'issuers' beside it, unless there is one only",
      "serials",
    );
  }
  const rules: IdentityRule[] = [];
  const add = <K extends Key>(key: K, make: MakeRule<K>): void => {
    const entries = settings[key];
    if (entries === undefined) return;
    const [wanted, met] = make(entries as NonNullable<ClientCertificateSettings[K]>, context);
    rules.push({ place: context.place(key), wanted, met });
  };
  for (const key of Object.keys(RULES) as Key[]) add(key, RULES[key] as MakeRule<Key>);
  return rules;
}

function anyOf(patterns: readonly ((name: string) => boolean)[]): (name: string) => boolean {
  return (name) => patterns.some((matches) => matches(name));
}

function nameIn(names: readonly string[]): (name: string) => boolean {
  const known = new Set(names.map(canonicalName));
  return (text) => {
    const name = canonicalName(text);
    // A certificate without a subject has none that could be meant.
    return name !== null && known.has(name);
  };
}
