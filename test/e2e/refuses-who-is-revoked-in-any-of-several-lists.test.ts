// Goal: several revocation lists, in PEM and DER, are in force together, and each takes effect when its file changes.
// Method: two authorities with a list each, a client of each on a connection that stays open, lists replaced under it.
import { writeFileSync } from "node:fs";
import { Agent } from "node:https";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { type Authority, createAuthority, crlPem } from "../fixtures/authority.ts";
import { eventually, type PolicyPorts, startPostern, startService } from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";

afterEach(closeAll);

const policy = ({ port, admin, app }: PolicyPorts): string => `version: 1
service: orders
listeners:
  - name: inbound
    address: 127.0.0.1:${port}
    tls:
      certificate: server.pem
      key: server.key
      clientCertificate: { mode: optional, ca: clients.pem, crl: [one.pem, two.der] }
upstreams:
  app: { address: "http://127.0.0.1:${app}" }
admin: { address: "127.0.0.1:${admin}" }
authenticators:
  mesh: { type: client-certificate }
routes:
  - path: /mesh
    authenticate: [mesh]
`;

test("a client is refused when its own authority's list has it, whichever file that is, and the others are not", async () => {
  const [one, two] = [await createAuthority("one"), await createAuthority("two")];
  const issue = (authority: Authority, name: string) => authority.issue({ subject: `CN=${name}`, usage: "client" });
  const clients = { one: await issue(one, "a"), two: await issue(two, "b") };
  const files = {
    "clients.pem": one.certificate + two.certificate,
    "one.pem": crlPem(await one.revoke()),
    "two.der": "",
  };
  // A list in DER is no text, so it is put there before the policy that names it is in force.
  const postern = await startPostern(
    (await startService()).port,
    (ports) => policy(ports).replace(", two.der", ""),
    files,
  );
  const put = (name: string, content: string | Buffer) => writeFileSync(join(postern.folder, name), content);
  put("two.der", await two.revoke());
  postern.write("policy.yaml", policy(postern));
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const ask = (who: keyof typeof clients) =>
    postern.call({ path: "/mesh", client: clients[who], agent }).then(
      ({ status, reason }) => `${status} ${reason ?? ""}`.trim(),
      // A kept-alive connection may close in the very moment in which it is used again.
      () => "closed",
    );
  const becomes = (who: keyof typeof clients, wanted: string) =>
    eventually(
      () => ask(who),
      (seen) => seen === wanted,
    );
  await becomes("two", "200");
  await becomes("one", "200");
  put("two.der", await two.revoke({ revoked: [clients.two.certificate] }));
  await becomes("two", "401 certificate_revoked");
  await becomes("one", "200");
  put("one.pem", crlPem(await one.revoke({ revoked: [clients.one.certificate] })));
  await becomes("one", "401 certificate_revoked");
  put("two.der", await two.revoke());
  await becomes("two", "200");
  expect(await ask("one")).toBe("401 certificate_revoked");
  agent.destroy();
}, 90_000);
