import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { REGISTRY } from "../../src/filters/index.ts";
import type { Examination } from "../../src/policy/compile.ts";
import type { Clock } from "../../src/support/clock.ts";
import { type Authority, createAuthority, crlPem } from "../fixtures/authority.ts";
import { examine, type Files, fixedClock, NOW_MS, PUBLIC_ROUTE, policyWith } from "./policy-kit.ts";

const DAY_MS = 86_400_000;
const MARK = Buffer.from([0xef, 0xbb, 0xbf]);

let root: Authority;
let middle: Authority;
let stranger: Authority;
let files: Files;
beforeAll(async () => {
  root = await createAuthority("root", NOW_MS);
  middle = await root.below("middle");
  stranger = await createAuthority("stranger", NOW_MS);
  const server = await root.issue({ subject: "CN=localhost", usage: "server", notAfterMs: NOW_MS + 90 * DAY_MS });
  files = {
    "s.pem": server.certificate,
    "s.key": server.key,
    "ca.pem": root.certificate,
    "crl.pem": crlPem(await root.revoke()),
  };
});

const CLIENT = "clientCertificate: { mode: required, ca: ca.pem, crl: crl.pem }";

function policy(client = ""): string {
  const tls = `certificate: s.pem, key: s.key${client === "" ? "" : `, ${client}`}`;
  return policyWith(PUBLIC_ROUTE, { listener: `{ name: inbound, address: 0.0.0.0:8443, tls: { ${tls} } }` });
}

interface World {
  readonly more?: Files;
  readonly clock?: Clock;
  readonly inForce?: readonly (string | Buffer)[];
}

function look(text: string, { more = {}, clock = fixedClock, inForce = [] }: World = {}): Promise<Examination> {
  const known = inForce.map((one) => Buffer.from(one));
  return examine(text, { ...files, ...more }, clock, REGISTRY, undefined, (content) =>
    known.some((one) => one.equals(content)),
  );
}

const texts = (list: Examination["problems"]): readonly string[] => list.map(({ text }) => text);

const inDays = (days: number): Clock => ({ ...fixedClock, wallMs: () => NOW_MS + days * DAY_MS });

describe("what has merely aged", () => {
  test("is a warning where it is in force: a certificate, the only authority, a revocation list", async () => {
    const inForce = Object.values(files);
    const { snapshot, problems, warnings } = await look(policy(CLIENT), { clock: inDays(400), inForce });
    expect(texts(problems)).toEqual([]);
    expect(texts(warnings)).toEqual([
      expect.stringMatching(/^the certificate of CN=localhost expired at .*; it was in force and stays so$/),
      expect.stringMatching(/^the certificate of CN=root expired at .*; it was in force and stays so$/),
      expect.stringMatching(/^the revocation list of CN=root ended at .*; it was in force and stays so$/),
    ]);
    expect(snapshot).not.toBeNull();
  });

  test("refuses the policy where it is read for the first time, file by file", async () => {
    const clock = inDays(400);
    expect(texts((await look(policy(CLIENT), { clock })).problems)).toHaveLength(3);
    const old = [files["s.pem"] ?? "", files["ca.pem"] ?? ""];
    const { problems } = await look(policy(CLIENT), { clock, inForce: old });
    expect(texts(problems)).toEqual([expect.stringMatching(/^the revocation list of CN=root ended at [^;]*$/)]);
  });

  test("is known by the file's own bytes, with or without a byte order mark", async () => {
    const marked = Buffer.concat([MARK, Buffer.from(files["s.pem"] ?? "")]);
    const world = { clock: inDays(100), inForce: [marked] };
    expect(texts((await look(policy(), { ...world, more: { "s.pem": marked } })).problems)).toEqual([]);
    expect((await look(policy(), world)).problems).toHaveLength(1);
  });
});

describe("files as people bring them", () => {
  test("a byte order mark is no part of a certificate, a key, an authority or a list", async () => {
    const more = Object.fromEntries(
      Object.entries(files).map(([name, text]) => [name, Buffer.concat([MARK, Buffer.from(text)])]),
    );
    const { problems, snapshot } = await look(policy(CLIENT), { more });
    expect(texts(problems)).toEqual([]);
    const tls = snapshot?.listeners[0]?.tls;
    for (const part of [tls?.certificate, tls?.key, tls?.clientCa, tls?.clientCrl]) {
      expect(part?.toString("latin1").startsWith("-----BEGIN")).toBe(true);
    }
  });

  test("UTF-16 is named", async () => {
    const more = Object.fromEntries(
      Object.entries(files).map(([name, text]) => [name, Buffer.from(`\ufeff${text}`, "utf16le")]),
    );
    expect(texts((await look(policy(CLIENT), { more })).problems)).toEqual(
      ["s.pem", "s.key", "ca.pem", "crl.pem"].map((name) => `'${name}' is UTF-16; expected ASCII or UTF-8`),
    );
  });

  test("a bundle that is cut in its last certificate is a problem, also in the middle of a line", async () => {
    const bundle = root.certificate + stranger.certificate;
    const second = stranger.certificate.length;
    for (const cut of [30, 120, 400, second - 27, second - 26, second - 10, second - 4]) {
      const { problems } = await look(policy(CLIENT), { more: { "ca.pem": bundle.slice(0, -cut) } });
      expect(texts(problems)[0]).toBe("'ca.pem': certificate 2 of the file is cut off: it has no END line");
    }
    const { problems } = await look(policy(CLIENT), { more: { "crl.pem": String(files["crl.pem"]).slice(0, -40) } });
    expect(texts(problems)).toEqual(["'crl.pem': the file holds no revocation list; expected PEM or DER"]);
    const lists = `${files["crl.pem"]}-----BEGIN X5`;
    expect(texts((await look(policy(CLIENT), { more: { "crl.pem": lists } })).problems)).toEqual([
      "'crl.pem': revocation list 2 of the file is cut off: it has no END line",
    ]);
    // What `openssl s_client` prints ends so.
    const said = `${bundle}---\nServer certificate\n---\n`;
    expect(texts((await look(policy(CLIENT), { more: { "ca.pem": said } })).problems)).toEqual([]);
  });

  test("a certificate with an RSA exponent of 1 is refused: anybody could sign with it", async () => {
    const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const weak = createPublicKey({ key: { ...publicKey.export({ format: "jwk" }), e: "AQ" }, format: "jwk" });
    const { certificate } = await root.issue({
      subject: "CN=weak",
      usage: "server",
      publicKey: weak.export({ type: "spki", format: "der" }),
    });
    const { problems } = await look(policy(), { more: { "s.pem": certificate } });
    expect(texts(problems)).toContain(
      "certificate 1 of the file has an RSA key with the exponent 1; expected 3 or more",
    );
  });
});

describe("revocation lists", () => {
  const ends = (examination: Examination) =>
    examination.snapshot?.revocationLists.map(({ issuer, nextUpdateMs }) => [issuer, (nextUpdateMs - NOW_MS) / DAY_MS]);

  test("tell when they end, in PEM, in DER, and several in one file; of one issuer the one that ends last", async () => {
    expect(ends(await look(policy(CLIENT)))).toEqual([["CN=root", 30]]);
    expect(ends(await look(policy(CLIENT), { more: { "crl.pem": await root.revoke() } }))).toEqual([["CN=root", 30]]);
    const both = {
      "ca.pem": root.certificate + middle.certificate,
      "crl.pem":
        crlPem(await root.revoke({ nextUpdateMs: NOW_MS - DAY_MS })) +
        crlPem(await middle.revoke({ nextUpdateMs: NOW_MS + DAY_MS })) +
        crlPem(await root.revoke()),
    };
    const examination = await look(policy(CLIENT), { more: both });
    expect(ends(examination)?.toSorted()).toEqual([
      ["CN=middle", 1],
      ["CN=root", 30],
    ]);
    expect(texts(examination.warnings)).toEqual([]);
    const endless = await look(policy(CLIENT), { more: { "crl.pem": await root.revoke({ nextUpdateMs: null }) } });
    expect([texts(endless.problems), ends(endless)]).toEqual([[], []]);
  });

  test("an authority without its list is a warning, for its clients are refused", async () => {
    const more = { "ca.pem": root.certificate + stranger.certificate };
    expect(texts((await look(policy(CLIENT), { more })).warnings)).toEqual([
      "'crl.pem' has no list of CN=stranger, so clients with certificates of this authority are refused",
    ]);
  });

  test("of none of the authorities are a problem; one more of an authority that clients send is a warning", async () => {
    const { problems } = await look(policy(CLIENT), { more: { "crl.pem": await stranger.revoke() } });
    expect(texts(problems)).toEqual(["'crl.pem' is of CN=stranger, and no such authority is in 'ca'"]);
    const more = { "crl.pem": `${files["crl.pem"]}${crlPem(await middle.revoke())}` };
    expect(texts((await look(policy(CLIENT), { more })).warnings)).toEqual([
      "the list of CN=middle, which is not in 'ca', counts only where clients send its certificate",
    ]);
  });

  test("that begin in the future are a problem", async () => {
    const more = { "crl.pem": await root.revoke({ thisUpdateMs: NOW_MS + DAY_MS }) };
    expect(texts((await look(policy(CLIENT), { more })).problems)).toEqual([
      "the revocation list of CN=root begins at 2026-12-02T00:00:00Z, so certificates of this authority are refused",
    ]);
  });

  test("beside an authority that stands alone are a warning: OpenSSL wants lists up to a root", async () => {
    const more = { "ca.pem": middle.certificate, "crl.pem": await middle.revoke() };
    expect(texts((await look(policy(CLIENT), { more })).warnings)).toEqual([
      expect.stringContaining("expected the whole chain up to the root in 'ca'"),
    ]);
  });

  test("that are damaged anywhere in their head are told, and nothing of them is shown", async () => {
    const whole = await root.revoke();
    for (let at = 0; at < 40; at++) {
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] ?? 0) ^ 0xff;
      const { problems } = await look(policy(CLIENT), { more: { "crl.pem": damaged } });
      for (const text of texts(problems)) expect(text).toMatch(/crl\.pem|revocation list|TLS refuses/);
    }
  });
});
