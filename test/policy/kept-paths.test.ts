// Goal: a route whose service reads odd paths as they stand gets them, and no rule of another route is walked round by
// them. Method: policies through the loader, judged as the data path does.
import { describe, expect, test } from "vitest";
import { Denial } from "../../src/decision/verdict.ts";
import { keptTarget } from "../../src/message/kept-target.ts";
import { judge, type Subject } from "../../src/proxy/pipeline.ts";
import { createExchange } from "../fixtures/route-context.ts";
import { policyWith, problemsOf, snapshotOf } from "./policy-kit.ts";

/** The template that a GET of `raw` leads to, or the reason of its refusal. */
async function asker(routes: string, defaults = "{}"): Promise<(raw: string) => Promise<string>> {
  const snapshot = await snapshotOf(policyWith(`defaults: ${defaults}\nroutes:\n${routes}`));
  return async (raw) => {
    const target = keptTarget(raw, snapshot.keepsInPaths);
    if (!target.ok) return "target_ambiguous";
    const exchange = createExchange({ path: target.value.target.path, query: target.value.target.query });
    exchange.oddity = target.value.oddity;
    const subject: Subject = {
      snapshot,
      exchange,
      trustsForwardedHost: false,
      forwardedCertificates: null,
      trustedProxies: null,
      shares: snapshot.shares,
      fault: null,
      route: null,
      ownPage: null,
      methodBody: null,
      observer: null,
    };
    const outcome = await judge(subject);
    return outcome instanceof Denial ? outcome.reason : (subject.route?.template ?? "");
  };
}

describe("a route that keeps", () => {
  test("escaped slashes gets them, and no other does", async () => {
    const ask = await asker(`  - { path: '/projects/{id}', public: true, keepInPaths: [encodedSlashes] }
  - { path: '/projects/{id}/admin', public: true }
  - { path: '/projects/{id}/issues', public: true, keepInPaths: [encodedSlashes] }
  - { path: /other/**, public: true }`);
    expect(await ask("/projects/group%2Fname")).toBe("/projects/{id}");
    expect(await ask("/projects/group%2Fissues")).toBe("/projects/{id}");
    expect(await ask("/projects/group%2fname/issues")).toBe("/projects/{id}/issues");
    for (const raw of ["/projects/group%2Fadmin", "/projects/a%2Fb/admin", "/other/a%2Fb", "/projects/a//b"]) {
      expect(await ask(raw)).toBe("target_ambiguous");
    }
    expect(await ask("/projects/a/admin")).toBe("/projects/{id}/admin");
  });

  test("empty segments gets them where joining the slashes leads to no other", async () => {
    const ask = await asker(`  - { path: /files/**, public: true, keepInPaths: [emptySegments] }
  - { path: /files/secret/**, public: true, keepInPaths: [emptySegments] }`);
    expect(await ask("/files/a//b")).toBe("/files/**");
    expect(await ask("/files/secret//b")).toBe("/files/secret/**");
    for (const raw of ["/files//secret/b", "/files//SECRET/b", "//files/a", "/files/x/..//secret"]) {
      expect(await ask(raw)).toBe("target_ambiguous");
    }
  });

  test("parameters gets them where taking them off leads to no other, whatever the other keeps", async () => {
    const ask = await asker(
      `  - { path: /**, public: true }
  - { path: /admin/**, public: true }
  - { path: /strict, public: true, paths: caseSensitive }`,
      "{ keepInPaths: [parameters] }",
    );
    expect(await ask("/cars;color=red/doors")).toBe("/**");
    expect(await ask("/admin/panel;x=1")).toBe("/admin/**");
    for (const raw of ["/admin;x/panel", "/ADMIN;x/panel", "/adm%69n;/panel", "/a/..;/admin/panel", "/strict;x"]) {
      expect(await ask(raw)).toBe("target_ambiguous");
    }
  });
});

test("a segment of parameters alone, as style matrix writes it, is its route's where the path without it is nobody's", async () => {
  const ask = await asker(
    `  - { path: '/v1/colors/{ids}', public: true }
  - { path: '/v1/{ids}/admin', public: true }
  - { path: '/v1/sizes/{ids}', public: true }
  - { path: /v1/sizes, public: true, keepInPaths: [] }
  - { path: /v1/admin, public: true, keepInPaths: [] }`,
    "{ keepInPaths: [parameters] }",
  );
  expect(await ask("/v1/colors/;ids=1;ids=2")).toBe("/v1/colors/{ids}");
  for (const raw of ["/v1/;x/admin", "/v1/sizes/;ids=1", "/;/v1/admin", "/v1/;/admin", "/v1/colors/;a/..;/admin"])
    expect(await ask(raw), raw).toBe("target_ambiguous");
});

describe("a route that keeps bodies", () => {
  const keptIn = async (text: string): Promise<unknown> => {
    const { routeList, warnings } = await snapshotOf(policyWith(text));
    return {
      kept: routeList.map(({ keepsBodiesIn }) => keepsBodiesIn),
      warnings: warnings.map(({ text: said }) => said),
    };
  };

  test("names their methods, or its defaults do", async () => {
    const routes = `routes:
  - { path: /a, public: true }
  - { path: /b, public: true, keepBodiesIn: [] }
  - { path: /c, public: true, keepBodiesIn: [HEAD, OPTIONS] }`;
    const own = [[], ["HEAD", "OPTIONS"]];
    expect(await keptIn(`defaults: { keepBodiesIn: [GET] }\n${routes}`)).toMatchObject({ kept: [["GET"], ...own] });
    expect(await keptIn(routes)).toMatchObject({ kept: [[], ...own] });
  });

  test("and is told of one that it does not take; of POST there is nothing to say", async () => {
    const route = (rest: string): string => `routes: [{ path: /a, public: true, ${rest} }]`;
    const { warnings } = (await keptIn(route("methods: [POST], keepBodiesIn: [GET]"))) as { warnings: string[] };
    expect(warnings).toContainEqual(expect.stringContaining("does not take GET"));
    const fine = (await keptIn(route("methods: [GET], keepBodiesIn: [GET, HEAD]"))) as { warnings: string[] };
    expect(fine.warnings).not.toContainEqual(expect.stringContaining("does not take"));
    expect(await problemsOf(policyWith(route("keepBodiesIn: [POST]")))).toEqual([
      expect.stringContaining("expected one of: GET, HEAD, OPTIONS"),
    ]);
  });
});

test("a wrong word is a problem with its place", async () => {
  const problems = await problemsOf(policyWith("routes: [{ path: /a, public: true, keepInPaths: [encodedSlash] }]"));
  expect(problems).toEqual([expect.stringContaining("did you mean 'encodedSlashes'?")]);
});
