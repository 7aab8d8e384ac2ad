import { X509Certificate } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { readClientCertificate } from "../../src/message/certificate.ts";
import { CERTIFICATE_FORMATS, type CertificateFormatName } from "../../src/message/certificate-formats.ts";
import { CERTIFICATE_LINES } from "../../src/message/certificate-lines.ts";
import { anchorsOf, type ClientTrust } from "../../src/message/client-trust.ts";
import { ForwardedCertificates } from "../../src/message/forwarded-certificate.ts";
import { type Authority, createAuthority } from "../fixtures/authority.ts";
import { createHeaders } from "../fixtures/route-context.ts";

type Lines = readonly (readonly [string, string])[];

const clock = { ms: Date.now(), wallMs: () => clock.ms };

let root: Authority;
let middle: Authority;
let leaf: string;
let deep: string;
let stranger: string;
let expired: string;
let server: string;
beforeAll(async () => {
  root = await createAuthority("root");
  middle = await root.below("middle");
  const other = await createAuthority("other");
  const client = { subject: "CN=billing", usage: "client" } as const;
  leaf = (await root.issue(client)).certificate;
  deep = (await middle.issue(client)).certificate;
  stranger = (await other.issue(client)).certificate;
  expired = (await root.issue({ ...client, notAfterMs: clock.ms - 1000 })).certificate;
  server = (await root.issue({ ...client, usage: "server" })).certificate;
});

function reader(name: CertificateFormatName, anchors: readonly string[] | null = [root.certificate]) {
  const format = CERTIFICATE_FORMATS[name];
  const read = anchors?.map((pem) => new X509Certificate(pem)) ?? null;
  return new ForwardedCertificates({
    format,
    header: format.header,
    anchors: read === null ? null : () => read,
    revocations: null,
    takesNames: false,
    clock,
  });
}

/** `CN=billing`, `untrusted CODE`, `none`, or what was seen. */
function told(one: ForwardedCertificates, lines: Lines): string {
  const result = one.read(createHeaders(lines));
  if (!result.ok) return result.error;
  if (result.value === null) return "none";
  return result.value.untrusted === null ? result.value.subject : `untrusted ${result.value.untrusted}`;
}

const der = (pem: string): string => new X509Certificate(pem).raw.toString("base64");
const sequence = (pem: string): string => `:${der(pem)}:`;

describe("the words of usual proxies", () => {
  const shown = (name: CertificateFormatName, value: string, anchors?: readonly string[]): string =>
    told(reader(name, anchors), [[CERTIFICATE_FORMATS[name].header, value]]);

  test("RFC 9440, with a chain in one line or several", () => {
    expect(shown("client-cert", sequence(leaf))).toBe("CN=billing");
    const chain: Lines = [
      ["client-cert", sequence(deep)],
      ["client-cert-chain", sequence(stranger)],
      ["client-cert-chain", `${sequence(middle.certificate)}, ${sequence(root.certificate)}`],
    ];
    expect(told(reader("client-cert"), chain)).toBe("CN=billing");
    expect(told(reader("client-cert"), chain.slice(0, 1))).toBe("untrusted UNABLE_TO_GET_ISSUER_CERT_LOCALLY");
  });

  test("Envoy's element with a certificate, and with a chain that begins with it once more", () => {
    const url = encodeURIComponent;
    const names = 'By=spiffe://a/b;Hash=00;Subject="CN=x,O=\\"y\\"";URI=spiffe://a/c;URI=urn:d;DNS=e';
    expect(shown("xfcc", `${names};Cert="${url(leaf)}"`)).toBe("CN=billing");
    const chain = url(deep + middle.certificate);
    expect(shown("xfcc", `Hash=00;Cert="${url(deep)}";Chain="${chain}"`)).toBe("CN=billing");
  });

  test("nginx and Traefik, HAProxy and Azure, AWS and WSO2", () => {
    expect(shown("nginx", encodeURIComponent(leaf))).toBe("CN=billing");
    expect(shown("nginx", leaf.trim().replaceAll("\n", " "))).toBe("CN=billing");
    // AWS leaves + = / as they are.
    const aws = encodeURIComponent(deep + middle.certificate).replace(/%2B|%3D|%2F/g, decodeURIComponent);
    expect(shown("aws-alb", aws)).toBe("CN=billing");
    expect(shown("aws-alb-verify", encodeURIComponent(leaf))).toBe("CN=billing");
    for (const name of ["haproxy", "azure", "cloudflare", "wso2"] as const)
      expect(shown(name, der(leaf))).toBe("CN=billing");
    expect(shown("wso2", Buffer.from(leaf).toString("base64"))).toBe("CN=billing");
    expect(shown("traefik", `${der(deep)},${der(middle.certificate)}`)).toBe("CN=billing");
  });

  test("no certificate is none, and no fault", () => {
    expect(told(reader("nginx"), [])).toBe("none");
    expect(shown("nginx", "")).toBe("none");
    expect(shown("nginx", "-")).toBe("none");
  });
});

describe("a certificate in a header is judged as the handshake would", () => {
  const nginx = (pem: string, anchors?: readonly string[] | null): string =>
    told(reader("nginx", anchors), [["x-ssl-client-cert", encodeURIComponent(pem)]]);

  test("whatever the proxy lets pass", () => {
    expect(nginx(stranger)).toBe("untrusted UNABLE_TO_GET_ISSUER_CERT_LOCALLY");
    expect(nginx(expired)).toBe("untrusted CERT_HAS_EXPIRED");
    expect(nginx(server)).toBe("untrusted INVALID_PURPOSE");
  });

  test("but where the policy takes the proxy's word, for its time alone", () => {
    expect(nginx(stranger, null)).toBe("CN=billing");
    expect(nginx(expired, null)).toBe("untrusted CERT_HAS_EXPIRED");
  });

  test("also by trust domains", async () => {
    const uris = ["spiffe://example.org/billing"];
    const issue = async (authority: Authority) =>
      (await authority.issue({ subject: "CN=w", usage: "client", uris })).certificate;
    const trust: ClientTrust = {
      bundles: new Map([["example.org", [new X509Certificate(middle.certificate)]]]),
      others: [new X509Certificate(root.certificate)],
      text: "",
    };
    const format = CERTIFICATE_FORMATS.azure;
    const one = new ForwardedCertificates({
      format,
      header: format.header,
      anchors: (id) => anchorsOf(id, trust),
      revocations: null,
      takesNames: false,
      clock,
    });
    expect(told(one, [["x-arr-clientcert", der(await issue(middle))]])).toBe("CN=w");
    expect(told(one, [["x-arr-clientcert", der(await issue(root))]])).toMatch(/^untrusted/);
  });

  test("is remembered as one certificate for a while, and no longer than that", () => {
    const one = reader("azure");
    const lines: Lines = [["x-arr-clientcert", der(leaf)]];
    const read = () => {
      const result = one.read(createHeaders(lines));
      return result.ok ? result.value : null;
    };
    const first = read();
    expect(read()).toBe(first);
    clock.ms += 61_000;
    expect(read()).not.toBe(first);
    expect(read()?.fingerprint).toBe(first?.fingerprint);
  });
});

describe("what has more than one reading is refused", () => {
  const twice = (name: CertificateFormatName, one: string, other: string): string =>
    told(reader(name), [
      [CERTIFICATE_FORMATS[name].header, one],
      [CERTIFICATE_FORMATS[name].header, other],
    ]);

  test("two lines, in whatever order, also of one that is remembered", () => {
    const one = reader("azure");
    expect(told(one, [["x-arr-clientcert", der(leaf)]])).toBe("CN=billing");
    const lines: Lines = [
      ["x-arr-clientcert", der(leaf)],
      ["x-arr-clientcert", der(stranger)],
    ];
    expect(told(one, lines)).toBe("x-arr-clientcert: two header lines");
    expect(twice("nginx", encodeURIComponent(leaf), encodeURIComponent(leaf))).toContain("two header lines");
    expect(twice("client-cert", sequence(leaf), sequence(leaf))).toContain("two header lines");
  });

  test("two elements of Envoy, of which the first may be a client's own", () => {
    const element = (pem: string) => `Hash=00;Cert="${encodeURIComponent(pem)}"`;
    const read = (value: string) => told(reader("xfcc"), [["x-forwarded-client-cert", value]]);
    expect(read(`${element(leaf)},${element(stranger)}`)).toContain("not one element");
    expect(read(`${element(leaf)};Cert="${encodeURIComponent(stranger)}"`)).toContain("not one element");
    expect(read(`Hash=00;cert="${encodeURIComponent(leaf)}";CERT="${encodeURIComponent(leaf)}"`)).toContain("not one");
    expect(read("By=spiffe://a;Hash=00;URI=spiffe://example.org/admin")).toContain("no certificate in 'Cert'");
    expect(read(`Subject="a";Cert="${encodeURIComponent(leaf)}`)).toContain("not one element");
  });

  test.each([
    ["text", "hello"],
    ["base64 of something else", Buffer.from("hello").toString("base64")],
    ["an escape that is none", "%zz"],
    ["a NUL", "%00"],
    ["a percent sign of UTF-8 that is none", "%ff"],
    ["PEM without an end", "-----BEGIN CERTIFICATE----- AAAA"],
    ["a key", "-----BEGIN PRIVATE KEY----- AAAA -----END PRIVATE KEY-----"],
    ["an empty list", ","],
  ])("%s", (_, value) => {
    for (const name of ["nginx", "azure", "aws-alb", "client-cert", "xfcc"] as const) {
      expect(told(reader(name), [[CERTIFICATE_FORMATS[name].header, value]])).toMatch(/^[a-z-]+: /);
    }
  });

  test("bytes behind a certificate, text between two of them, and more than a chain has", () => {
    const read = (value: string) => told(reader("nginx"), [["x-ssl-client-cert", value]]);
    const raw = new X509Certificate(leaf).raw;
    expect(read(Buffer.concat([raw, Buffer.from("x")]).toString("base64"))).toContain("no certificate");
    expect(read(encodeURIComponent(`${leaf}x${leaf}`))).toContain("no certificate");
    expect(read(encodeURIComponent(leaf.repeat(10)))).toContain("no certificate");
    expect(read(Array(10).fill(der(leaf)).join(","))).toContain("no certificate");
    expect(read("A".repeat(30_000))).toContain("30000 characters");
  });
});

describe("what the service is told", () => {
  test("is what we would read ourselves", () => {
    const certificate = readClientCertificate(new X509Certificate(leaf), null);
    for (const [name, header] of [
      ["client-cert", "client-cert"],
      ["xfcc", "x-forwarded-client-cert"],
    ] as const) {
      const line = CERTIFICATE_LINES[name](certificate);
      expect(line.endsWith("\r\n")).toBe(true);
      expect(told(reader(name), [[header, line.slice(header.length + 2, -2)]])).toBe("CN=billing");
    }
  });

  test("has no line, element or quote of the certificate's own making", async () => {
    const uris = ['https://a/x,Hash=1;y="z"\r\nX-Admin: 1'];
    const wishes = { subject: "CN=billing", usage: "client", uris, dnsNames: ["a,b"] } as const;
    const { certificate: pem } = await root.issue(wishes);
    const read = readClientCertificate(new X509Certificate(pem), null);
    const line = CERTIFICATE_LINES.xfcc({ ...read, subject: 'CN=a",Cert="b\\' });
    expect(line.match(/[\r\n]/g)).toHaveLength(2);
    const value = line.slice("x-forwarded-client-cert: ".length, -2);
    expect(told(reader("xfcc"), [["x-forwarded-client-cert", value]])).toBe("CN=billing");
  });
});
