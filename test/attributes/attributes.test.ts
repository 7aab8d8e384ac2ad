import { describe, expect, test } from "vitest";
import { type Attribute, attribute } from "../../src/attributes/attribute.ts";
import { equality } from "../../src/attributes/equal.ts";
import { shownAttribute } from "../../src/attributes/shown.ts";
import { ROWS } from "../../src/attributes/table.ts";
import { AMBIGUOUS, type AttributeScope } from "../../src/attributes/types.ts";
import { parseJson } from "../../src/bodies/json.ts";
import { PHASES } from "../../src/decision/phases.ts";
import type { Exchange } from "../../src/message/exchange.ts";
import { NOW_MS } from "../filters/identity-context.ts";
import { createCertificate, createExchange, createPrincipal, type RequestOptions } from "../fixtures/route-context.ts";

const scope: AttributeScope = {
  phase: "validate",
  parameters: ["tenant", "orderId"],
  route: "/t/{tenant}/orders/{orderId}",
  clock: { wallMs: () => NOW_MS },
};

function sound(text: string, parts: Partial<AttributeScope> = {}): Attribute {
  const found = attribute(text, { ...scope, ...parts });
  if (!found.ok) throw new Error(found.error);
  return found.value;
}

function fault(text: string, parts: Partial<AttributeScope> = {}): string {
  const found = attribute(text, { ...scope, ...parts });
  return found.ok ? `sound: ${found.value.text}` : found.error;
}

const read = (text: string, exchange: Exchange): unknown => sound(text).read(exchange);
const of = (text: string, options: RequestOptions): unknown => read(text, createExchange(options));

describe("names", () => {
  test.each([
    ["jwt.realm_access.roles", "jwt.realm_access.roles"],
    ['jwt."https://example.org/tenant".id', 'jwt."https://example.org/tenant".id'],
    ["jwt['https://example.org/tenant'].id", 'jwt."https://example.org/tenant".id'],
    ['request.headers["X-Env"]', 'request.headers["x-env"]'],
    ["request.headers.x-env", 'request.headers["x-env"]'],
    ["path.tenant", "path.tenant"],
  ])("%s is %s", (text, canonical) => expect(sound(text).text).toBe(canonical));

  test.each([
    ["pth.tenant", "did you mean 'path'?"],
    ["request.methd", "did you mean 'request.method'?"],
    ["principal.role", "did you mean 'principal.roles'?"],
    ["path.tennant", "did you mean 'tenant'?"],
    ["jwt", "as in jwt.realm_access.roles"],
    ["path.tenant.x", "one name"],
    ["request.method.x", "has no members"],
    ["claims.sub", "no attribute 'claims.sub'"],
    ["jwt..x", "is no attribute"],
    ["jwt.x y", "is no attribute"],
    ['jwt."x', "is no attribute"],
    ["", "is no attribute"],
    ["jwt.a.b.c.d.e.f.g.h.i", "more than 8"],
    ["__proto__.x", "no attribute"],
    ["constructor", "no attribute"],
    [`jwt.${"x".repeat(300)}`, "is no attribute"],
  ])("%s is a problem that says: %s", (text, words) => expect(fault(text)).toContain(words));

  test("what is not known yet in a phase is a problem, for every row and phase", () => {
    for (const row of ROWS.values()) {
      const text = row.name === "path" ? "path.tenant" : row.example;
      for (const [at, phase] of PHASES.entries()) {
        const [from, until] = [PHASES.indexOf(row.from), PHASES.indexOf(row.until ?? "respond")];
        expect(attribute(text, { ...scope, phase }).ok, `${text} in ${phase}`).toBe(at >= from && at <= until);
      }
    }
    expect(fault("jwt.tenant", { phase: "admit" })).toContain("from phase 'authorize' on");
    expect(fault("body.owner", { phase: "authorize" })).toContain("from phase 'validate' on");
    expect(fault("path.id", { parameters: null })).toContain("no route is known");
  });
});

describe("values", () => {
  test("of the request", () => {
    const options = { method: "POST", path: "/t/%C3%A9", query: "?page=2&q=a%20b", authority: "a.example.org:8443" };
    expect(of("request.method", options)).toBe("POST");
    expect(of("request.path", options)).toBe("/t/%C3%A9");
    expect(of("request.host", options)).toBe("a.example.org");
    expect(of("query.q", options)).toBe("a b");
    expect(of("query.none", options)).toBeUndefined();
    expect(of("client.address", { peer: "2001:db8::1" })).toBe("2001:db8::1");
    expect(of("now", {})).toBe(NOW_MS);
    expect(of("route", {})).toBe("/t/{tenant}/orders/{orderId}");
  });

  test("a path parameter is decoded once", () => {
    expect(of("path.tenant", { params: ["acme", "1"] })).toBe("acme");
    expect(of("path.orderId", { params: ["acme", "a%2Bb"] })).toBe("a+b");
    expect(of("path.tenant", { params: ["%2561cme"] })).toBe("%61cme");
    expect(of("path.orderId", { params: ["acme"] })).toBeUndefined();
  });

  test("a header on two lines, or one that Connection names, has no single reading", () => {
    const headers = [["x-env", "a"]] as const;
    expect(of('request.headers["X-Env"]', { headers })).toBe("a");
    expect(of('request.headers["x-env"]', { headers: [...headers, ["x-env", "b"]] })).toBe(AMBIGUOUS);
    expect(of('request.headers["x-env"]', { headers: [...headers, ["connection", "X-Env"]] })).toBe(AMBIGUOUS);
    expect(of('request.headers["x-env"]', { headers: [...headers, ["connection", "keep-alive"]] })).toBe("a");
    expect(of('request.headers["x-other"]', { headers })).toBeUndefined();
  });

  test.each(["?tenant=a&tenant=b", "?tenant=a&TENANT=b", "?tenant=a&tenant[]=b", "?tenant=a&ten%61nt=b"])(
    "a query of %s has no single reading",
    (query) => expect(of("query.tenant", { query })).toBe(AMBIGUOUS),
  );

  test("of a principal", () => {
    const claims = { tenant: "acme", roles: ["a", 1], groups: "staff", nothing: null, deep: { x: 1 } };
    const principal = createPrincipal({ scopes: new Set(["r", "w"]), claims });
    expect(of("principal.id", { principal })).toBe("alice");
    expect(of("principal.authenticator", { principal })).toBe("okta");
    expect(of("principal.type", { principal })).toBe("jwt");
    expect(of("principal.scopes", { principal })).toEqual(["r", "w"]);
    expect(of("principal.roles", { principal })).toEqual(["a"]);
    expect(of("principal.groups", { principal })).toEqual(["staff"]);
    expect(of("jwt.tenant", { principal })).toBe("acme");
    expect(of("jwt.deep.x", { principal })).toBe(1);
    expect(of("jwt.nothing", { principal })).toBeUndefined();
    expect(of("principal.id", {})).toBeUndefined();
    expect(of("principal.scopes", {})).toBeUndefined();
  });

  test("claims of an API key are no claims of a token", () => {
    const principal = createPrincipal({ type: "api-key", claims: { tenant: "acme" } });
    expect(of("jwt.tenant", { principal })).toBeUndefined();
    expect(of("principal.claims.tenant", { principal })).toBe("acme");
  });

  test("what objects inherit is no claim and no member", () => {
    const principal = createPrincipal({ claims: { list: ["a"] } });
    for (const name of ["constructor", "__proto__", "toString", "list.length", "constructor.name"]) {
      expect(of(`jwt.${name}`, { principal }), name).toBeUndefined();
      const exchange = createExchange();
      exchange.bodyValue = { list: ["a"] };
      expect(read(`body.${name}`, exchange), name).toBeUndefined();
    }
  });

  test("a certificate that is not trusted, or has expired, has no attributes", () => {
    const good = createCertificate({ dnsNames: ["a.example.org"], serialNumber: "0A" });
    expect(of("certificate.subject", { certificate: good })).toBe("CN=billing");
    expect(of("certificate.dnsNames", { certificate: good })).toEqual(["a.example.org"]);
    expect(of("certificate.serialNumber", { certificate: good })).toBe("0A");
    const untrusted = createCertificate({ untrusted: "CERT_REVOKED" });
    const expired = createCertificate({ notAfterMs: NOW_MS - 1 });
    for (const certificate of [untrusted, expired, null]) {
      for (const name of ["subject", "issuer", "spiffeId", "fingerprint"]) {
        expect(of(`certificate.${name}`, { certificate }), name).toBeUndefined();
      }
    }
  });

  describe("of a body", () => {
    const bodyOf = (text: string): Exchange => {
      const exchange = createExchange();
      const parsed = parseJson(Buffer.from(text));
      if (!parsed.ok) throw new Error(parsed.error);
      exchange.bodyValue = parsed.value;
      return exchange;
    };

    test("members are found by their path", () => {
      expect(read("body.owner.id", bodyOf('{"owner":{"id":"a"}}'))).toBe("a");
      expect(read("body.owner.id", bodyOf('{"owner":null}'))).toBeUndefined();
      expect(read("body.owner.id", bodyOf('[{"owner":1}]'))).toBeUndefined();
      expect(read("body.owner", createExchange())).toBeUndefined();
    });

    test.each(['{"owner":"me","Owner":"you"}', '{"Owner":"you"}', '{"o\\u0057ner":"you"}'])(
      "%s has no single reading",
      (text) => expect(read("body.owner", bodyOf(text))).toBe(AMBIGUOUS),
    );

    test("the long s is an s to Go", () => {
      expect(read("body.sub", bodyOf('{"sub":"me","ſub":"you"}'))).toBe(AMBIGUOUS);
    });

    test("an object of very many members has no reading, and costs nothing", () => {
      const text = JSON.stringify(Object.fromEntries(Array.from({ length: 5_000 }, (_, at) => [`k${at}`, at])));
      expect(read("body.k1", bodyOf(text))).toBe(AMBIGUOUS);
    });
  });
});

describe("what is shown", () => {
  test("values are cut and escaped; what may be a secret does not show", () => {
    const principal = createPrincipal({ claims: { tenant: "a\n\u001b[31m", api_key: "hunter2", list: ["x", "y"] } });
    const exchange = createExchange({ principal, query: "?t=1", headers: [["authorization", "Bearer x"]] });
    expect(shownAttribute(sound("jwt.tenant"), exchange)).toBe('jwt.tenant "a\\u005cn\\u005cu001b[31m"');
    expect(shownAttribute(sound("jwt.list"), exchange)).toBe('jwt.list ["x","y"]');
    expect(shownAttribute(sound("jwt.none"), exchange)).toBe("jwt.none (absent)");
    for (const text of ["jwt.api_key", "query.t", 'request.headers["authorization"]']) {
      expect(shownAttribute(sound(text), exchange)).toBe(`${sound(text).text} (not shown)`);
    }
    expect(shownAttribute(sound("now"), exchange)).toBe("now 2026-11-21T12:00:00.000Z");
  });
});

describe("equality", () => {
  test.each([
    ["acme", "acme", "equal"],
    ["acme", "Acme", "different"],
    ["acme", "acme ", "different"],
    ["é", "e\u0301", "different"],
    ["42", 42, "equal"],
    [42, 42.0, "equal"],
    ["042", 42, "different"],
    ["42.0", 42, "different"],
    ["0x2a", 42, "different"],
    ["4.2e1", 42, "different"],
    [-0, "0", "equal"],
    [0.5, "0.5", "equal"],
    [2 ** 53, "9007199254740992", "unknown"],
    [2 ** 53, 2 ** 53 + 1, "unknown"],
    ["9007199254740993", "9007199254740993", "equal"],
    [true, true, "equal"],
    ["true", true, "different"],
    [1, true, "different"],
    [["a", "b"], "b", "equal"],
    ["b", ["a", "b"], "equal"],
    [["a"], ["a"], "different"],
    [[["a"]], "a", "different"],
    [[], "a", "different"],
    [[1], "1", "equal"],
    [["acme,evil"], "acme", "different"],
    ["", "", "unknown"],
    [[""], "", "unknown"],
    [undefined, undefined, "unknown"],
    [null, null, "unknown"],
    [AMBIGUOUS, AMBIGUOUS, "unknown"],
    [{}, {}, "unknown"],
    ["undefined", undefined, "unknown"],
    ["null", null, "unknown"],
    ["[object Object]", {}, "unknown"],
  ])("%j and %j are %s", (left, right, wanted) => {
    expect(equality(left, right)).toBe(wanted);
    expect(equality(right, left)).toBe(wanted);
  });

  test("a list longer than is compared is unknown", () => {
    expect(equality(Array(10_001).fill("a"), "a")).toBe("unknown");
  });
});
