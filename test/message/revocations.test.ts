// Goal: a certificate in a header is refused by the same lists as one in a handshake, and no list of anybody else counts.
import { X509Certificate } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { whyUnchained } from "../../src/message/certificate-chain.ts";
import { certificateFault } from "../../src/message/certificate-fault.ts";
import { readRevocationList } from "../../src/message/revocation-list.ts";
import { Revocations } from "../../src/message/revocations.ts";
import { type Authority, createAuthority } from "../fixtures/authority.ts";

const NOW_MS = Date.now();
const DAY_MS = 86_400_000;
const CLIENT = { subject: "CN=billing", usage: "client" } as const;

let root: Authority;
let middle: Authority;
let twin: Authority;
let leaf: string;
let deep: string;
let short: string;
beforeAll(async () => {
  root = await createAuthority("root");
  middle = await root.below("middle");
  twin = await createAuthority("root");
  leaf = (await root.issue(CLIENT)).certificate;
  deep = (await middle.issue(CLIENT)).certificate;
  short = (await root.issue({ ...CLIENT, serialNumber: "05" })).certificate;
});

function listsOf(...ders: readonly Buffer[]): Revocations {
  return new Revocations(
    ders.map((der) => {
      const list = readRevocationList(der);
      if (!list.ok) throw new Error(list.error);
      return list.value;
    }),
  );
}

/** Why a leaf is refused whose chain was sent along; null where it is not. */
const why = (pem: string, lists: Revocations, ...sent: readonly string[]): string | null =>
  whyUnchained(
    new X509Certificate(pem),
    sent.map((one) => new X509Certificate(one)),
    [new X509Certificate(root.certificate)],
    NOW_MS,
    lists,
  );

describe("of a leaf below the anchor", () => {
  test("a list that does not have it lets it in, and one that has it does not", async () => {
    const other = (await root.issue(CLIENT)).certificate;
    expect(why(leaf, listsOf(await root.revoke()))).toBe(null);
    expect(why(leaf, listsOf(await root.revoke({ revoked: [other, short] })))).toBe(null);
    expect(why(leaf, listsOf(await root.revoke({ revoked: [other, leaf] })))).toBe("CERT_REVOKED");
    expect(why(short, listsOf(await root.revoke({ revoked: [leaf] })))).toBe(null);
    expect(why(short, listsOf(await root.revoke({ revoked: [leaf, short] })))).toBe("CERT_REVOKED");
  });

  test("of two lists in force the newer one counts", async () => {
    const old = await root.revoke({ revoked: [leaf], thisUpdateMs: NOW_MS - 2 * DAY_MS });
    const anew = await root.revoke({ thisUpdateMs: NOW_MS - DAY_MS });
    expect(why(leaf, listsOf(old, anew))).toBe(null);
    expect(why(leaf, listsOf(anew, old))).toBe(null);
    const ended = await root.revoke({ thisUpdateMs: NOW_MS - DAY_MS, nextUpdateMs: NOW_MS - 1 });
    expect(why(leaf, listsOf(old, ended))).toBe("CERT_REVOKED");
  });

  test.each<[string, () => Promise<Buffer>, string]>([
    ["another authority", () => middle.revoke(), "UNABLE_TO_GET_CRL"],
    ["an authority of the same name", () => twin.revoke(), "CRL_SIGNATURE_FAILURE"],
    ["yesterday", () => root.revoke({ nextUpdateMs: NOW_MS - 1 }), "CRL_HAS_EXPIRED"],
    ["tomorrow", () => root.revoke({ thisUpdateMs: NOW_MS + DAY_MS }), "CRL_NOT_YET_VALID"],
  ])("a list of %s is none", async (_, make, code) => {
    expect(why(leaf, listsOf(await make()))).toBe(code);
    expect(certificateFault(code).fault).toBe("certificate_revocation_unknown");
  });

  test("a list whose bytes were changed is none", async () => {
    const der = await root.revoke({ revoked: [leaf] });
    const serial = Buffer.from(new X509Certificate(leaf).serialNumber, "hex");
    const at = der.indexOf(serial);
    expect(at).toBeGreaterThan(0);
    der[at + serial.length - 1] = (der[at + serial.length - 1] ?? 0) ^ 1;
    expect(why(leaf, listsOf(der))).toBe("CRL_SIGNATURE_FAILURE");
  });
});

describe("of a leaf below an intermediate", () => {
  test("each authority has to have a list", async () => {
    const [ofRoot, ofMiddle] = [await root.revoke(), await middle.revoke()];
    expect(why(deep, listsOf(ofRoot, ofMiddle), middle.certificate)).toBe(null);
    expect(why(deep, listsOf(ofRoot), middle.certificate)).toBe("UNABLE_TO_GET_CRL");
    expect(why(deep, listsOf(ofMiddle), middle.certificate)).toBe("UNABLE_TO_GET_CRL");
  });

  test("a revoked intermediate ends what it issued, and a revoked leaf says so", async () => {
    const ofRoot = await root.revoke({ revoked: [middle.certificate] });
    expect(why(deep, listsOf(ofRoot, await middle.revoke()), middle.certificate)).toBe("CERT_REVOKED");
    const ofMiddle = await middle.revoke({ revoked: [deep] });
    expect(why(deep, listsOf(await root.revoke(), ofMiddle), middle.certificate)).toBe("CERT_REVOKED");
  });

  test("whatever else is sent along changes nothing", async () => {
    const lists = listsOf(await root.revoke(), await middle.revoke({ revoked: [deep] }));
    const forged = await twin.below("middle");
    const sent = [forged.certificate, twin.certificate, middle.certificate, root.certificate];
    expect(why(deep, lists, ...sent)).toBe("CERT_REVOKED");
    expect(why(deep, lists, ...sent.toReversed())).toBe("CERT_REVOKED");
  });
});

describe("a list that is of a part alone", () => {
  const point = (...content: readonly number[]) => Buffer.from([0x30, content.length, ...content]);
  const IDP = "2.5.29.28";

  test("counts for those that it is of", async () => {
    const users = await root.revoke({ critical: [IDP, point(0x81, 1, 0xff)] });
    const authorities = await root.revoke({ critical: [IDP, point(0x82, 1, 0xff)] });
    expect(why(leaf, listsOf(users))).toBe(null);
    expect(why(leaf, listsOf(authorities))).toBe("DIFFERENT_CRL_SCOPE");
    const ofMiddle = await middle.revoke();
    expect(why(deep, listsOf(users, authorities, ofMiddle), middle.certificate)).toBe(null);
    expect(why(deep, listsOf(users, ofMiddle), middle.certificate)).toBe("DIFFERENT_CRL_SCOPE");
  });

  test.each<[string, readonly [string, Buffer]]>([
    ["indirect", [IDP, point(0x84, 1, 0xff)]],
    ["of some reasons", [IDP, point(0x83, 2, 0, 0x40)]],
    ["of one distribution point", [IDP, point(0xa0, 0)]],
    ["of changes", ["2.5.29.27", Buffer.from([2, 1, 1])]],
    ["of a kind that nobody knows", ["1.2.3", Buffer.from([5, 0])]],
  ])("is refused when the policy is read: %s", async (_, critical) => {
    expect(readRevocationList(await root.revoke({ critical }))).toMatchObject({ ok: false });
  });

  test.each([Buffer.alloc(0), Buffer.from("hello"), Buffer.from("3000", "hex"), Buffer.from("30800000", "hex")])(
    "bytes that are no list are none",
    (der) => {
      expect(readRevocationList(der)).toMatchObject({ ok: false });
    },
  );
});
