import "reflect-metadata"; // @peculiar/x509 asks for this polyfill before it is loaded
import { randomBytes, webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { err, ok, type Result } from "../support/result.ts";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const DAY_MS = 86_400_000;

/** A certificate with its private key, both PEM. */
export interface Issued {
  readonly certificate: string;
  readonly key: string;
}

export interface LeafOptions {
  readonly commonName: string;
  readonly usage: "server" | "client";
  readonly dnsNames?: readonly string[];
  readonly addresses?: readonly string[];
  readonly uris?: readonly string[];
  /** Unix milliseconds. */
  readonly notBeforeMs?: number;
  readonly notAfterMs?: number;
}

export interface DevelopmentCa {
  /** The CA's certificate, PEM. */
  readonly certificate: string;
  /** Its private key, PEM. Whoever has it can be any client. */
  readonly key: string;
  issue(options: LeafOptions): Promise<Issued>;
  /** A revocation list, PEM, over the given certificates (PEM). */
  revoke(certificates: readonly string[], nowMs: number): Promise<string>;
}

/** A certificate authority for development and tests: ECDSA P-256, for `postern init` and the quick start. */
export async function createDevelopmentCa(commonName: string, nowMs: number, days = 30): Promise<DevelopmentCa> {
  useWebCrypto();
  const keys = (await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"])) as CryptoKeyPair;
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: randomBytes(8).toString("hex"),
    name: `CN=${commonName}`,
    notBefore: new Date(nowMs - DAY_MS),
    notAfter: new Date(nowMs + days * DAY_MS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return authority(ca, keys.privateKey, nowMs, days);
}

/** The same authority again, from its certificate and key in PEM; the error says what is wrong with the certificate. */
export async function openDevelopmentCa(
  certificate: string,
  key: string,
  nowMs: number,
  days: number,
): Promise<Result<DevelopmentCa, string>> {
  useWebCrypto();
  try {
    const ca = new x509.X509Certificate(certificate);
    const der = x509.PemConverter.decodeFirst(key);
    const privateKey = await webcrypto.subtle.importKey("pkcs8", der, ALGORITHM, true, ["sign"]);
    if (ca.notAfter.getTime() <= nowMs) return err(`ended on ${ca.notAfter.toISOString()}; make a new folder`);
    const leftDays = Math.min(days, (ca.notAfter.getTime() - nowMs) / DAY_MS);
    const opened = await authority(ca, privateKey, nowMs, leftDays);
    const probe = await opened.issue({ commonName: "probe", usage: "client" });
    const isOurs = await new x509.X509Certificate(probe.certificate).verify({
      publicKey: ca.publicKey,
      signatureOnly: true,
    });
    return isOurs ? ok(opened) : err("is not the certificate of the key beside it");
  } catch {
    // Without the error's text, which may quote the key.
    return err("or its key cannot be read as PEM");
  }
}

function useWebCrypto(): void {
  const provider: Crypto = webcrypto;
  x509.cryptoProvider.set(provider);
}

async function authority(
  ca: x509.X509Certificate,
  key: webcrypto.CryptoKey,
  nowMs: number,
  days: number,
): Promise<DevelopmentCa> {
  return {
    certificate: `${ca.toString("pem")}\n`,
    key: await keyPem(key),
    issue: (options) => issueLeaf(ca, key, options, nowMs, days),
    revoke: async (certificates, atMs) => {
      const list = await x509.X509CrlGenerator.create({
        issuer: ca.subject,
        thisUpdate: new Date(atMs - DAY_MS),
        nextUpdate: new Date(atMs + days * DAY_MS),
        entries: certificates.map((pem) => ({
          serialNumber: new x509.X509Certificate(pem).serialNumber,
          revocationDate: new Date(atMs - DAY_MS),
        })),
        signingAlgorithm: ALGORITHM,
        signingKey: key,
      });
      return `${x509.PemConverter.encode(list.rawData, "X509 CRL")}\n`;
    },
  };
}

async function issueLeaf(
  ca: x509.X509Certificate,
  caKey: webcrypto.CryptoKey,
  options: LeafOptions,
  nowMs: number,
  days: number,
): Promise<Issued> {
  const keys = (await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"])) as CryptoKeyPair;
  const names: x509.JsonGeneralNames = [
    ...(options.dnsNames ?? []).map((value) => ({ type: "dns" as const, value })),
    ...(options.addresses ?? []).map((value) => ({ type: "ip" as const, value })),
    ...(options.uris ?? []).map((value) => ({ type: "url" as const, value })),
  ];
  const usage = options.usage === "server" ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth;
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: randomBytes(8).toString("hex"),
    subject: `CN=${options.commonName}`,
    issuer: ca.subject,
    notBefore: new Date(options.notBeforeMs ?? nowMs - DAY_MS),
    notAfter: new Date(options.notAfterMs ?? nowMs + days * DAY_MS),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey: caKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([usage]),
      await x509.AuthorityKeyIdentifierExtension.create(ca),
      ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
    ],
  });
  return { certificate: `${certificate.toString("pem")}\n`, key: await keyPem(keys.privateKey) };
}

async function keyPem(key: webcrypto.CryptoKey): Promise<string> {
  return `${x509.PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY")}\n`;
}

type CryptoKeyPair = { publicKey: webcrypto.CryptoKey; privateKey: webcrypto.CryptoKey };
