import { createHash, createHmac, generateKeyPairSync, sign } from "node:crypto";
import { describe, expect, test } from "vitest";
import { signatureKind } from "../../src/filters/signature/compile.ts";
import { EMPTY_BODY, type RequestBody } from "../../src/message/body.ts";
import { Exchange } from "../../src/message/exchange.ts";
import { HeaderBlock } from "../../src/message/headers.ts";
import { canonicalTarget } from "../../src/message/target.ts";
import { atOnce, stepsOf } from "../../src/support/turns.ts";
import { outsideContext } from "../fixtures/outside.ts";
import { denialOf, NOW_MS, principalOf, request, testContext } from "./identity-context.ts";

type Lines = readonly (readonly [string, string])[];

// Keys and signatures of RFC 9421 appendix B.
const RSA_PSS = `-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAr4tmm3r20Wd/PbqvP1s2
+QEtvpuRaV8Yq40gjUR8y2Rjxa6dpG2GXHbPfvMs8ct+Lh1GH45x28Rw3Ry53mm+
oAXjyQ86OnDkZ5N8lYbggD4O3w6M6pAvLkhk95AndTrifbIFPNU8PPMO7OyrFAHq
gDsznjPFmTOtCEcN2Z1FpWgchwuYLPL+Wokqltd11nqqzi+bJ9cvSKADYdUAAN5W
Utzdpiy6LbTgSxP7ociU4Tn0g5I6aDZJ7A8Lzo0KSyZYoA485mqcO0GVAdVw9lq4
aOT9v6d+nb4bnNkQVklLQ3fVAvJm+xdDOp9LCNCN48V2pnDOkFV6+U9nV5oyc6XI
2wIDAQAB
-----END PUBLIC KEY-----`;
const P256 = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqIVYZVLCrPZHGHjP17CTW0/+D9Lf
w0EkjqF7xB4FivAxzic30tMM4GF+hR6Dxh71Z50VGGdldkkDXZCnTNnoXQ==
-----END PUBLIC KEY-----`;
const ED25519 = `-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=
-----END PUBLIC KEY-----`;
const SHARED = Buffer.from(
  "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==",
  "base64",
);
const DIGEST = "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:";
const BODY = '{"hello": "world"}';
const FIELDS: Lines = [
  ["host", "example.com"],
  ["date", "Tue, 20 Apr 2021 02:07:55 GMT"],
  ["content-type", "application/json"],
  ["content-digest", DIGEST],
  ["content-length", "18"],
];
const CERT =
  ":MIIBqDCCAU6gAwIBAgIBBzAKBggqhkjOPQQDAjA6MRswGQYDVQQKDBJMZXQncyBBdXRoZW50aWNhdGUxGzAZBgNVBAMMEkxBIEludGVybWVkaWF0ZSBDQTAeFw0yMDAxMTQyMjU1MzNaFw0yMTAxMjMyMjU1MzNaMA0xCzAJBgNVBAMMAkJDMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE8YnXXfaUgmnMtOXU/IncWalRhebrXmckC8vdgJ1p5Be5F/3YC8OthxM4+k1M6aEAEFcGzkJiNy6J84y7uzo9M6NyMHAwCQYDVR0TBAIwADAfBgNVHSMEGDAWgBRm3WjLa38lbEYCuiCPct0ZaSED2DAOBgNVHQ8BAf8EBAMCBsAwEwYDVR0lBAwwCgYIKwYBBQUHAwIwHQYDVR0RAQH/BBMwEYEPYmRjQGV4YW1wbGUuY29tMAoGCCqGSM49BAMCA0gAMEUCIBHda/r1vaL6G3VliL4/Di6YK0Q6bMjeSkC3dFCOOB8TAiEAx/kHSB4urmiZ0NX5r5XarmPk0wmuydBVoU4hBVZ1yhk=:";

const own = generateKeyPairSync("ed25519");
const pem = own.publicKey.export({ type: "spki", format: "pem" }).toString();
const SECRET = "a secret of both sides, of 32 bytes or more";

const KEYS = [
  { keyid: "test-key-rsa-pss", file: "rsa-pss.pem" },
  { keyid: "test-key-ecc-p256", file: "p256.pem" },
  { keyid: "test-key-ed25519", file: "ed25519.pem" },
  { keyid: "own", file: "own.pem", caller: "billing", scopes: ["orders:write"] },
  { keyid: "shared", secret: { file: "shared" } },
];

function setUp(settings: Record<string, unknown> = {}, nowMs = NOW_MS) {
  const files = { "rsa-pss.pem": RSA_PSS, "p256.pem": P256, "ed25519.pem": ED25519, "own.pem": pem };
  const context = { ...testContext(files), ...outsideContext({ shared: SECRET }) };
  context.clock.nowMs = nowMs;
  const parsed = signatureKind.schema.parse({ type: "signature", keys: KEYS, ...settings });
  const authenticator = atOnce(stepsOf(signatureKind.compile("partner", parsed, context)));
  return {
    context,
    authenticator,
    ask: async (headers: Lines, asked: Asked = {}) =>
      (await authenticator?.authenticate(asking(headers, asked))) ?? null,
  };
}

interface Asked {
  readonly method?: string;
  readonly target?: string;
  readonly authority?: string;
  readonly body?: string;
}

function asking(
  headers: Lines,
  { method = "POST", target = "/foo?param=Value&Pet=dog", authority = "example.com", body = BODY }: Asked,
): Exchange {
  const canonical = canonicalTarget(target);
  if (!canonical.ok) throw new Error(canonical.error.seen);
  const bytes = Buffer.from(body);
  const whole: RequestBody = {
    ...EMPTY_BODY,
    announcedBytes: bytes.length,
    start: (sink) => {
      sink.onBody(bytes);
      sink.onBodyEnd(null);
    },
  };
  const block = new HeaderBlock(
    headers.map(([name]) => name),
    headers.map(([, value]) => value),
  );
  const exchange = new Exchange(
    request().connection,
    method,
    canonical.value,
    authority,
    authority,
    block,
    body === "" ? EMPTY_BODY : whole,
  );
  exchange.receivedTarget = target;
  return exchange;
}

const signed = (label: string, input: string, signature: string): Lines => [
  ["signature-input", `${label}=${input}`],
  ["signature", `${label}=:${signature}:`],
];

describe("the vectors of RFC 9421 appendix B hold", () => {
  const at = 1_618_884_473_000;
  test.each<[string, string[], string, string, Asked?, Lines?]>([
    [
      "sig-b21",
      [],
      '();created=1618884473;keyid="test-key-rsa-pss";nonce="b3k2pp5k7z-50gnwp.yemd"',
      "d2pmTvmbncD3xQm8E9ZV2828BjQWGgiwAaw5bAkgibUopemLJcWDy/lkbbHAve4cRAtx31Iq786U7it++wgGxbtRxf8Udx7zFZsckzXaJMkA7ChG52eSkFxykJeNqsrWH5S+oxNFlD4dzVuwe8DhTSja8xxbR/Z2cOGdCbzR72rgFWhzx2VjBqJzsPLMIQKhO4DGezXehhWwE56YCE+O6c0mKZsfxVrogUvA4HELjVKWmAvtl6UnCh8jYzuVG5WSb/QEVPnP5TmcAnLH1g+s++v6d4s8m0gCw1fV5/SITLq9mhho8K3+7EPYTU8IU1bLhdxO5Nyt8C8ssinQ98Xw9Q==",
    ],
    [
      "sig-b22",
      ["@authority", "content-digest"],
      '("@authority" "content-digest" "@query-param";name="Pet");created=1618884473;keyid="test-key-rsa-pss";tag="header-example"',
      "LjbtqUbfmvjj5C5kr1Ugj4PmLYvx9wVjZvD9GsTT4F7GrcQEdJzgI9qHxICagShLRiLMlAJjtq6N4CDfKtjvuJyE5qH7KT8UCMkSowOB4+ECxCmT8rtAmj/0PIXxi0A0nxKyB09RNrCQibbUjsLS/2YyFYXEu4TRJQzRw1rLEuEfY17SARYhpTlaqwZVtR8NV7+4UKkjqpcAoFqWFQh62s7Cl+H2fjBSpqfZUJcsIk4N6wiKYd4je2U/lankenQ99PZfB4jY3I5rSV2DSBVkSFsURIjYErOs0tFTQosMTAoxk//0RoKUqiYY8Bh0aaUEb0rQl3/XaVe4bXTugEjHSw==",
    ],
    [
      "sig-b23",
      ["@method", "@path", "@query", "content-digest"],
      '("date" "@method" "@path" "@query" "@authority" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-rsa-pss"',
      "bbN8oArOxYoyylQQUU6QYwrTuaxLwjAC9fbY2F6SVWvh0yBiMIRGOnMYwZ/5MR6fb0Kh1rIRASVxFkeGt683+qRpRRU5p2voTp768ZrCUb38K0fUxN0O0iC59DzYx8DFll5GmydPxSmme9v6ULbMFkl+V5B1TP/yPViV7KsLNmvKiLJH1pFkh/aYA2HXXZzNBXmIkoQoLd7YfW91kE9o/CCoC1xMy7JA1ipwvKvfrs65ldmlu9bpG6A9BmzhuzF8Eim5f8ui9eH8LZH896+QIF61ka39VBrohr9iyMUJpvRX2Zbhl5ZJzSRxpJyoEZAFL2FUo5fTIztsDZKEgM4cUA==",
    ],
    [
      "sig-b26",
      ["@method", "@path"],
      '("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"',
      "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==",
    ],
    [
      "ttrp",
      ["@path", "@method"],
      '("@path" "@query" "@method" "@authority" "client-cert");created=1618884473;keyid="test-key-ecc-p256"',
      "xVMHVpawaAC/0SbHrKRs9i8I3eOs5RtTMGCWXm/9nvZzoHsIg6Mce9315T6xoklyy0yzhD9ah4JHRwMLOgmizw==",
      { authority: "service.internal.example" },
      [["client-cert", CERT]],
    ],
  ])("%s", async (label, covers, input, signature, asked = {}, more = []) => {
    const settings = covers.length === 0 ? { scheme: "webBotAuth", covers: ["@authority"] } : { covers };
    const lines = [...FIELDS, ...more, ...signed(label, input, signature)];
    if (covers.length === 0) {
      // B.2.1 covers nothing, so no policy takes it.
      expect(denialOf(await setUp({ covers: ["@method"] }, at).ask(lines, asked)).reason).toBe("proof_incomplete");
      return;
    }
    expect(principalOf(await setUp(settings, at).ask(lines, asked)).type).toBe("signature");
    const other = lines.map(([name, value]) => [name, name === "date" ? `${value} ` : value] as const);
    const swapped = label === "ttrp" || label === "sig-b22" ? { ...asked, authority: "evil.example" } : asked;
    expect(denialOf(await setUp(settings, at).ask(other, swapped)).reason).toBe("proof_signature_invalid");
  });

  test("sig-b25, by the shared secret", () => {
    const base = `"date": Tue, 20 Apr 2021 02:07:55 GMT\n"@authority": example.com\n"content-type": application/json\n"@signature-params": ("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"`;
    expect(createHmac("sha256", SHARED).update(base).digest("base64")).toBe(
      "pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=",
    );
  });
});

const NOW_S = NOW_MS / 1000;
const sha256 = (text: string) => `sha-256=:${createHash("sha256").update(text).digest("base64")}:`;

/** Signs with the own key as a client does: `values` are those of the components. */
function bySelf(values: Lines, params = `;created=${NOW_S};keyid="own"`, sig = "sig1"): Lines {
  const input = `(${values.map(([name]) => `"${name}"`).join(" ")})${params}`;
  const base = [...values.map(([name, value]) => `"${name}": ${value}`), `"@signature-params": ${input}`].join("\n");
  return signed(sig, input, sign(null, Buffer.from(base), own.privateKey).toString("base64"));
}

const URI = "https://example.com/foo?param=Value&Pet=dog";
const USUAL: Lines = [
  ["@method", "POST"],
  ["@target-uri", URI],
  ["content-digest", sha256(BODY)],
];
const GOOD: Lines = [["content-digest", sha256(BODY)], ...bySelf(USUAL)];

test("a signature over method, target and digest is its key's caller, and the body that was checked is the one that goes on", async () => {
  const { authenticator } = setUp();
  const exchange = asking(GOOD, {});
  expect(principalOf((await authenticator?.authenticate(exchange)) ?? null)).toMatchObject({
    id: "billing",
    type: "signature",
  });
  expect(exchange.collectedBody?.toString()).toBe(BODY);
});

test.each<[string, Asked, string]>([
  ["another body", { body: `${BODY} ` }, "proof_digest_mismatch"],
  ["another method", { method: "PUT" }, "proof_signature_invalid"],
  ["another path", { target: "/bar?param=Value&Pet=dog" }, "proof_signature_invalid"],
  ["another query", { target: "/foo?param=Value&Pet=cat" }, "proof_signature_invalid"],
  ["another host", { authority: "evil.example" }, "proof_signature_invalid"],
])("with %s it proves nothing", async (_, asked, reason) => {
  expect(denialOf(await setUp().ask(GOOD, asked))).toMatchObject({ reason });
});

test.each<[string, () => Lines, string]>([
  ["of a second line", () => [...GOOD, ["content-digest", sha256("other")]], "proof_malformed"],
  [
    "of a label that the other field does not have",
    () => [...GOOD.slice(0, 2), ["signature", "sig2=:AAAA:"]],
    "proof_malformed",
  ],
  ["without its input", () => [["signature", "sig1=:AAAA:"]], "proof_malformed"],
  ["that is no byte sequence", () => [...GOOD.slice(0, 2), ["signature", 'sig1="AAAA"']], "proof_malformed"],
  ["whose label comes twice", () => [...GOOD, ["signature-input", "sig1=();created=1"]], "proof_malformed"],
  [
    "over a component twice",
    () => [["content-digest", sha256(BODY)], ...bySelf([...USUAL, ["@method", "POST"]])],
    "proof_malformed",
  ],
  [
    "over fewer components than wanted",
    () => [["content-digest", sha256(BODY)], ...bySelf(USUAL.slice(0, 2))],
    "proof_incomplete",
  ],
  [
    "over a header that is not there",
    () => [["content-digest", sha256(BODY)], ...bySelf([...USUAL, ["x-a", "1"]])],
    "proof_malformed",
  ],
  [
    "over a status",
    () => [["content-digest", sha256(BODY)], ...bySelf([...USUAL, ["@status", "200"]])],
    "proof_malformed",
  ],
  ["without created", () => [["content-digest", sha256(BODY)], ...bySelf(USUAL, ';keyid="own"')], "proof_incomplete"],
  [
    "of long ago",
    () => [["content-digest", sha256(BODY)], ...bySelf(USUAL, `;created=${NOW_S - 300};keyid="own"`)],
    "proof_expired",
  ],
  [
    "from the future",
    () => [["content-digest", sha256(BODY)], ...bySelf(USUAL, `;created=${NOW_S + 31};keyid="own"`)],
    "proof_expired",
  ],
  [
    "that has expired",
    () => [
      ["content-digest", sha256(BODY)],
      ...bySelf(USUAL, `;created=${NOW_S - 60};expires=${NOW_S - 30};keyid="own"`),
    ],
    "proof_expired",
  ],
  [
    "of an unknown key",
    () => [["content-digest", sha256(BODY)], ...bySelf(USUAL, `;created=${NOW_S};keyid="who"`)],
    "proof_key_unknown",
  ],
  [
    "that names no key",
    () => [["content-digest", sha256(BODY)], ...bySelf(USUAL, `;created=${NOW_S}`)],
    "proof_key_unknown",
  ],
  [
    "that names another algorithm",
    () => [["content-digest", sha256(BODY)], ...bySelf(USUAL, `;created=${NOW_S};keyid="own";alg="hmac-sha256"`)],
    "proof_algorithm_forbidden",
  ],
  [
    "of another key",
    () => [["content-digest", sha256(BODY)], ...bySelf(USUAL, `;created=${NOW_S};keyid="test-key-ed25519"`)],
    "proof_signature_invalid",
  ],
  [
    "with a digest of md5 alone",
    () => [["content-digest", "md5=:AAAA:"], ...bySelf([...USUAL.slice(0, 2), ["content-digest", "md5=:AAAA:"]])],
    "proof_malformed",
  ],
  [
    "with a covered field that Connection takes off",
    () => [["connection", "content-digest"], ...GOOD],
    "proof_malformed",
  ],
])("a signature %s is refused as %s", async (_, lines, reason) => {
  const denial = denialOf(await setUp().ask(lines()));
  expect(denial).toMatchObject({ reason });
  expect(denial.headers).toContainEqual([
    "accept-signature",
    'sig=("@method" "@target-uri" "content-digest");created;keyid',
  ]);
});

test("the public key is no secret: a MAC under its text is no signature", async () => {
  const input = `("@method");created=${NOW_S};keyid="own"`;
  const mac = createHmac("sha256", pem).update(`"@method": POST\n"@signature-params": ${input}`).digest("base64");
  expect(denialOf(await setUp({ covers: ["@method"] }).ask(signed("s", input, mac))).reason).toBe(
    "proof_signature_invalid",
  );
});

test("a signature counts once, by what it signs", async () => {
  const { ask, context } = setUp();
  expect(principalOf(await ask(GOOD)).id).toBe("billing");
  expect(denialOf(await ask(GOOD))).toMatchObject({ reason: "proof_replayed" });
  context.clock.nowMs += 299_000;
  expect(denialOf(await ask(GOOD))).toMatchObject({ reason: "proof_replayed" });
  const next = bySelf(USUAL, `;created=${NOW_S};keyid="own";nonce="2"`);
  expect(principalOf(await ask([["content-digest", sha256(BODY)], ...next])).id).toBe("billing");
});

test("without a body no digest is wanted, and one that comes nevertheless is not covered", async () => {
  const lines = bySelf(USUAL.slice(0, 2));
  expect(principalOf(await setUp().ask(lines, { body: "" })).id).toBe("billing");
  expect(denialOf(await setUp().ask(lines))).toMatchObject({ reason: "proof_incomplete" });
});

test("the target may be signed as it was sent or as it is forwarded", async () => {
  const target = "/f%6Fo?x=%7e";
  for (const path of ["/f%6Fo?x=%7e", "/foo?x=%7e"]) {
    const lines = bySelf([
      ["@method", "POST"],
      ["@target-uri", `https://example.com${path}`],
    ]);
    expect(principalOf(await setUp().ask(lines, { target, body: "" })).id).toBe("billing");
  }
});

test("of several signatures one that is good is enough; those of another tag are for others", async () => {
  const two: Lines = [
    ["signature-input", `other=("@method");created=1;keyid="who", ${GOOD[1]?.[1]}`],
    ["signature", `other=:AAAA:, ${GOOD[2]?.[1]}`],
    ["content-digest", sha256(BODY)],
  ];
  expect(principalOf(await setUp().ask(two)).id).toBe("billing");
  expect(await setUp({ tag: "mine" }).ask(GOOD)).toBeNull();
});

test("Web Bot Auth: a tag, an end and the agent's field where it is there", async () => {
  const params = `;created=${NOW_S};expires=${NOW_S + 60};keyid="own";tag="web-bot-auth"`;
  const agent = ["signature-agent", '"https://bot.example"'] as const;
  const lines = bySelf([["@authority", "example.com"], agent], params);
  expect(principalOf(await setUp({ scheme: "webBotAuth" }).ask([agent, ...lines])).id).toBe("billing");
  const without = bySelf([["@authority", "example.com"]], params);
  expect(denialOf(await setUp({ scheme: "webBotAuth" }).ask([agent, ...without])).reason).toBe("proof_incomplete");
  expect(principalOf(await setUp({ scheme: "webBotAuth" }).ask(without)).id).toBe("billing");
});

test.each<[Record<string, unknown>, string]>([
  [{ keys: undefined }, "'keys' is missing"],
  [{ keys: [{ file: "own.pem" }, { file: "own.pem" }] }, "a second key"],
  [{ keys: [{ file: "own.pem", algorithm: "hmac-sha256" }] }, "a key for ed25519"],
  [{ keys: [{ secret: { file: "shared" } }] }, "'keyid' is missing"],
  [{ keys: [{ keyid: "a" }] }, "either 'file'"],
  [{ secret: { file: "shared" } }, "'secret' is of the schemes"],
  [{ scheme: "github", keys: KEYS }, "'keys' is of the schemes"],
])("what cannot hold is a problem: %j", (settings, text) => {
  expect(setUp(settings).context.problems.join("\n")).toContain(text);
});
