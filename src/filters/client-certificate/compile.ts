import { canonicalName } from "../../message/distinguished-name.ts";
import { type CompileContext, defineAuthenticator } from "../filter.ts";
import { certificateAuthenticator, type IdentityRule } from "./evaluate.ts";
import { dnsPattern, spiffePattern } from "./patterns.ts";
import { type ClientCertificateSettings, clientCertificateSchema } from "./schema.ts";

export const clientCertificateKind = defineAuthenticator<ClientCertificateSettings>({
  type: "client-certificate",
  schema: clientCertificateSchema,
  compile: (name, settings, context) =>
    certificateAuthenticator({
      name,
      service: context.service,
      clock: context.clock,
      place: context.place(),
      rules: identityRules(settings, context),
    }),
});

/** Every key that the policy gives is one rule; a certificate has to meet them all. */
function identityRules(settings: ClientCertificateSettings, context: CompileContext): readonly IdentityRule[] {
  const { trustDomain, spiffeIds, dnsNames, subjects, fingerprints } = settings;
  const rules: IdentityRule[] = [];
  const add = (key: keyof ClientCertificateSettings, wanted: string, met: IdentityRule["met"]): void => {
    rules.push({ place: context.place(key), wanted, met });
  };
  if (trustDomain !== undefined) {
    // With the slash, so that example.org is not also example.org.attacker.net.
    const prefix = `spiffe://${trustDomain}/`;
    add("trustDomain", `a SPIFFE ID in ${trustDomain}`, ({ spiffeId }) => spiffeId?.startsWith(prefix) ?? false);
  }
  if (spiffeIds !== undefined) {
    const patterns = spiffeIds.map(spiffePattern);
    add("spiffeIds", `a SPIFFE ID of ${spiffeIds.join(", ")}`, ({ spiffeId }) =>
      spiffeId === null ? false : patterns.some((matches) => matches(spiffeId)),
    );
  }
  if (dnsNames !== undefined) {
    const patterns = dnsNames.map(dnsPattern);
    add("dnsNames", `a DNS name of ${dnsNames.join(", ")}`, (certificate) =>
      certificate.dnsNames.some((name) => patterns.some((matches) => matches(name))),
    );
  }
  if (subjects !== undefined) {
    const known = new Set(subjects.map(canonicalName));
    add("subjects", `a subject of ${subjects.join("; ")}`, ({ subject }) => {
      const name = canonicalName(subject);
      // A certificate without a subject has none that could be meant.
      return name !== null && known.has(name);
    });
  }
  if (fingerprints !== undefined) {
    const known = new Set(fingerprints);
    add("fingerprints", "one of the pinned fingerprints", ({ fingerprint }) => known.has(fingerprint));
  }
  return rules;
}
