import "reflect-metadata";
import { X509Certificate } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { describe, expect, test, vi } from "vitest";
import { whyUnchained } from "../../src/message/certificate-chain.ts";

const NOW_MS = Date.UTC(2026, 10, 21);
const DAY_MS = 86_400_000;
const EC = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

interface Holder {
  readonly certificate: x509.X509Certificate;
  readonly keys: CryptoKeyPair;
}
type CryptoKeyPair = { publicKey: CryptoKey; privateKey: CryptoKey };

interface Wishes {
  readonly extensions?: readonly x509.Extension[];
  readonly notAfterMs?: number;
  readonly notBeforeMs?: number;
  readonly keys?: CryptoKeyPair;
  readonly algorithm?: Parameters<typeof crypto.subtle.generateKey>[0] & object;
}

const AUTHORITY = (pathLength?: number) => [
  new x509.BasicConstraintsExtension(true, pathLength, true),
  new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
];
const LEAF = [
  new x509.BasicConstraintsExtension(false, undefined, true),
  new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
];

async function make(name: string, above: Holder | null, wishes: Wishes = {}): Promise<Holder> {
  const algorithm = wishes.algorithm ?? EC;
  const keys = wishes.keys ?? ((await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as CryptoKeyPair);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: "01",
    subject: `CN=${name}`,
    issuer: above?.certificate.subject ?? `CN=${name}`,
    notBefore: new Date(wishes.notBeforeMs ?? NOW_MS - DAY_MS),
    notAfter: new Date(wishes.notAfterMs ?? NOW_MS + DAY_MS),
    signingAlgorithm: above === null ? algorithm : EC,
    publicKey: keys.publicKey,
    signingKey: above?.keys.privateKey ?? keys.privateKey,
    extensions: [...(wishes.extensions ?? AUTHORITY())],
  });
  return { certificate, keys };
}

const node = ({ certificate }: Holder): X509Certificate => new X509Certificate(certificate.toString("pem"));

function why(leaf: Holder, sent: readonly Holder[], anchors: readonly Holder[], nowMs = NOW_MS): string | null {
  return whyUnchained(node(leaf), sent.map(node), anchors.map(node), nowMs);
}

const root = await make("root", null);
const middle = await make("middle", root);
const low = await make("low", middle);
const leaf = await make("leaf", root, { extensions: LEAF });
const deep = await make("deep", low, { extensions: LEAF });
const stranger = await make("root", null);

describe("a chain", () => {
  test("leads to an anchor, whatever the order in which it was sent and whatever came along", () => {
    expect(why(leaf, [], [root])).toBeNull();
    expect(why(deep, [low, middle], [root])).toBeNull();
    expect(why(deep, [stranger, middle, low, root, leaf], [stranger, root])).toBeNull();
    // The anchor may stand below a root that nobody has named.
    expect(why(deep, [low], [middle])).toBeNull();
  });

  test("without an intermediate leads nowhere", () => {
    expect(why(deep, [low], [root])).toBe("UNABLE_TO_GET_ISSUER_CERT_LOCALLY");
    expect(why(leaf, [], [])).toBe("UNABLE_TO_GET_ISSUER_CERT_LOCALLY");
  });

  test("that ends in an authority of the same name with another key is none", () => {
    expect(why(leaf, [], [stranger])).toBe("CERT_SIGNATURE_FAILURE");
    expect(why(leaf, [root], [stranger])).toBe("CERT_SIGNATURE_FAILURE");
  });

  test("does not make an anchor of what the client sends, nor of a leaf that is one itself", async () => {
    expect(why(deep, [low, middle, root], [stranger])).not.toBeNull();
    const own = await make("own", null, { extensions: LEAF });
    expect(why(own, [own], [])).not.toBeNull();
  });
});

describe("no authority is", () => {
  test("a leaf, a certificate without basic constraints, and one that may not sign certificates", async () => {
    for (const extensions of [
      LEAF,
      [],
      [AUTHORITY()[0] as x509.Extension, new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true)],
    ]) {
      const between = await make("between", root, { extensions });
      const forged = await make("forged", between, { extensions: LEAF });
      expect(why(forged, [between], [root])).toMatch(/INVALID_CA|UNABLE_TO_GET_ISSUER/);
    }
  });

  test("one further below than its issuer lets it stand", async () => {
    const narrow = await make("narrow", root, { extensions: AUTHORITY(0) });
    const direct = await make("direct", narrow, { extensions: LEAF });
    expect(why(direct, [narrow], [root])).toBeNull();
    const below = await make("below", narrow);
    const forged = await make("forged", below, { extensions: LEAF });
    expect(why(forged, [below, narrow], [root])).toBe("PATH_LENGTH_EXCEEDED");
    expect(why(forged, [below], [narrow])).toBe("PATH_LENGTH_EXCEEDED");
  });

  test("one that has ended or not begun", async () => {
    const ended = await make("ended", root, { notAfterMs: NOW_MS - 1000 });
    const one = await make("one", ended, { extensions: LEAF });
    expect(why(one, [ended], [root])).toBe("CERT_HAS_EXPIRED");
    expect(why(one, [], [ended])).toBe("CERT_HAS_EXPIRED");
    const early = await make("early", root, { notBeforeMs: NOW_MS + 1000 });
    expect(why(await make("two", early, { extensions: LEAF }), [early], [root])).toBe("CERT_NOT_YET_VALID");
  });

  test("one that limits the names below it, for nobody here would weigh them", async () => {
    // permittedSubtrees: DNS names below example.org
    const value = Buffer.from("300f a00d 300b 8209".replaceAll(" ", ""), "hex");
    const bytes = Buffer.concat([value, Buffer.from("shop.test")]);
    const limited = await make("limited", root, {
      extensions: [...AUTHORITY(), new x509.Extension("2.5.29.30", true, new Uint8Array(bytes).buffer)],
    });
    const one = await make("one", limited, { extensions: LEAF });
    expect(why(one, [limited], [root])).toBe("UNHANDLED_CRITICAL_EXTENSION");
  });
});

describe("a leaf", () => {
  test("is judged by its time, to the millisecond", () => {
    const end = node(leaf).validToDate.getTime();
    expect(why(leaf, [], [root], end)).toBeNull();
    expect(why(leaf, [], [root], end + 1)).toBe("CERT_HAS_EXPIRED");
    expect(why(leaf, [], [root], node(leaf).validFromDate.getTime() - 1)).toBe("CERT_NOT_YET_VALID");
  });

  test("of a server is none of a client", async () => {
    const server = [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth])];
    expect(why(await make("server", root, { extensions: server }), [], [root])).toBe("INVALID_PURPOSE");
    const encrypts = [new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyEncipherment, true)];
    expect(why(await make("encrypts", root, { extensions: encrypts }), [], [root])).toBe("INVALID_PURPOSE");
    expect(why(await make("any", root, { extensions: [] }), [], [root])).toBeNull();
  });

  test("with a critical extension that nobody knows is refused", async () => {
    const extension = new x509.Extension("1.2.3.4.5", true, new Uint8Array([5, 0]).buffer);
    const harmless = new x509.Extension("1.2.3.4.5", false, new Uint8Array([5, 0]).buffer);
    expect(why(await make("odd", root, { extensions: [...LEAF, extension] }), [], [root])).toBe(
      "UNHANDLED_CRITICAL_EXTENSION",
    );
    expect(why(await make("even", root, { extensions: [...LEAF, harmless] }), [], [root])).toBeNull();
  });

  test("with a short RSA key is refused", async () => {
    const algorithm = {
      name: "RSASSA-PKCS1-v1_5",
      modulusLength: 1024,
      publicExponent: new Uint8Array([1, 0, 1]),
      hash: "SHA-256",
    };
    expect(why(await make("short", root, { extensions: LEAF, algorithm }), [], [root])).toBe("WEAK_KEY");
  });
});

test("a maze of authorities of one name costs a bounded number of signatures", async () => {
  const maze = await Promise.all(Array.from({ length: 8 }, () => make("maze", root)));
  const one = await make("one", await make("maze", null), { extensions: LEAF });
  const verify = vi.spyOn(X509Certificate.prototype, "verify");
  expect(why(one, maze, [root])).toBe("CERT_SIGNATURE_FAILURE");
  expect(verify.mock.calls.length).toBeLessThanOrEqual(16);
  verify.mockRestore();
});
