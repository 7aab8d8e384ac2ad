import { createServer } from "node:http";
import { afterAll, expect, test } from "vitest";
import { introspectionKind } from "../../src/filters/introspection/compile.ts";
import { atOnce, stepsOf } from "../../src/support/turns.ts";
import { certificateOf } from "../fixtures/certificate.ts";
import { closeAll } from "../fixtures/closing.ts";
import { outsideContext } from "../fixtures/outside.ts";
import { listen } from "../fixtures/proxy.ts";
import { denialOf, principalOf, request, testContext } from "./identity-context.ts";

afterAll(closeAll);

test("a token that its provider says is bound is not taken from whoever found it", async () => {
  const fingerprint = "ab".repeat(32);
  const print = Buffer.from(fingerprint, "hex").toString("base64url");
  const server = createServer((asked, answer) => {
    let text = "";
    asked.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    asked.on("end", () => {
      const cnf = text.includes("token=key") ? { jkt: print } : { "x5t#S256": print };
      answer.writeHead(200, { "content-type": "application/json" });
      answer.end(JSON.stringify({ active: true, sub: "alice", aud: "orders", cnf }));
    });
  });
  const context = { ...testContext(), ...outsideContext({ "idp.secret": "secret" }) };
  const settings = introspectionKind.schema.parse({
    type: "introspection",
    endpoint: `http://127.0.0.1:${await listen(server)}/introspect`,
    clientId: "orders",
    clientSecret: { file: "idp.secret" },
    audience: "orders",
  });
  const authenticator = atOnce(stepsOf(introspectionKind.compile("opaque", settings, context)));
  const ask = async (line: string, certificate = "cd".repeat(32)) =>
    (await authenticator?.authenticate(
      request([["authorization", line]], certificateOf({ fingerprint: certificate })),
    )) ?? null;
  expect(principalOf(await ask("Bearer cert", fingerprint)).id).toBe("alice");
  expect(denialOf(await ask("Bearer cert"))).toMatchObject({ reason: "proof_mismatch" });
  expect(denialOf(await ask("Bearer key", fingerprint))).toMatchObject({ reason: "proof_missing" });
  expect(denialOf(await ask("DPoP key", fingerprint))).toMatchObject({
    reason: "proof_missing",
    seen: "no DPoP header",
  });
});
