import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";
import { isDnsIdentity, onlySpiffeId } from "./certificate.ts";
import type { ClientCertificate } from "./connection.ts";
import { decodeChain, type EncodedChain, percentDecoded } from "./encoded-certificate.ts";

/** `Key=value` or `Key="value"`, and what follows: a `;` or the end. */
const PAIR = /([A-Za-z]+)=(?:"((?:[^"\\]|\\.)*)"|([^",;=]*))(;|$)/y;

/** Values by key in lower case, in their order. */
type Element = ReadonlyMap<string, readonly string[]>;

/** Keys that come once for each name of the certificate; others come once. */
const REPEATED: ReadonlySet<string> = new Set(["uri", "dns"]);

/**
 * Envoy's x-forwarded-client-cert with one element: with two, the first is what some client said, unless each proxy on the
 * way is known to append. Gives the certificate in `Cert`, with what is in `Chain`.
 */
export function readXfccChain(value: string): Result<EncodedChain, string> {
  const element = elementOf(value);
  if (element === null) return err(NO_ELEMENT);
  const leaf = decodedPair(element, "cert");
  if (leaf === null)
    return err("no certificate in 'Cert'; Envoy writes it where set_current_client_cert_details has cert");
  const chain = element.has("chain") ? decodedPair(element, "chain") : leaf;
  const [first] = leaf;
  if (chain === null || first === undefined || leaf.length > 1) return err("no certificates in 'Chain'");
  // Envoy's Chain begins with the leaf once more.
  return ok([first, ...chain.filter(({ fingerprint256 }) => fingerprint256 !== first.fingerprint256)]);
}

const NO_ELEMENT = "not one element of key=value pairs";
const HASH = /^[0-9a-fA-F]{64}$/;

/**
 * An element without `Cert`, as Istio writes it: what the proxy says of a certificate that it verified. Null where the
 * certificate is there to be read. Nothing can be verified here, of its issuer and its time nothing is known.
 */
export function readXfccNames(value: string): Result<ClientCertificate | null, string> {
  const element = elementOf(value);
  if (element === null) return err(NO_ELEMENT);
  if (element.has("cert") || element.has("chain")) return ok(null);
  const [hash = ""] = element.get("hash") ?? [];
  const [subject = ""] = element.get("subject") ?? [];
  const uris = (element.get("uri") ?? []).filter((uri) => uri !== "");
  const dnsNames = (element.get("dns") ?? []).filter(isDnsIdentity).filter((name) => name !== "");
  if (hash !== "" && !HASH.test(hash)) return err("a 'Hash' that is no SHA-256");
  if (uris.length + dnsNames.length > DEFAULTS.forwardedNamesMax) return err("too many names");
  if (hash === "" && subject === "" && uris.length + dnsNames.length === 0) return err("no name in it");
  return ok({
    subject,
    issuer: "",
    serialNumber: "",
    fingerprint: hash.toLowerCase(),
    dnsNames: dnsNames.map((name) => name.toLowerCase()),
    uris,
    emails: [],
    addresses: [],
    spiffeId: onlySpiffeId(uris),
    notBeforeMs: Number.NEGATIVE_INFINITY,
    notAfterMs: Number.POSITIVE_INFINITY,
    untrusted: null,
    x509: null,
  });
}

function decodedPair(element: Element, key: string): EncodedChain | null {
  const text = percentDecoded(element.get(key)?.[0] ?? "");
  return text?.startsWith("-----BEGIN") === true ? decodeChain(text) : null;
}

/** Null where a key comes twice that may not, or the text is anything else, as two elements are. */
function elementOf(text: string): Element | null {
  const values = new Map<string, string[]>();
  PAIR.lastIndex = 0;
  while (PAIR.lastIndex < text.length) {
    const match = PAIR.exec(text);
    if (match === null) return null;
    const [, name = "", quoted, bare = ""] = match;
    const key = name.toLowerCase();
    const known = values.get(key);
    if (known !== undefined && !REPEATED.has(key)) return null;
    const value = quoted?.replace(/\\(.)/g, "$1") ?? bare;
    if (known === undefined) values.set(key, [value]);
    else known.push(value);
  }
  return values;
}
