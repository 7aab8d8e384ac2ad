// Goal: lists of addresses are taken as feeds ship them, change under the process, and a damaged one opens and shuts nothing.
// Method: a process behind a trusted proxy, files moved into place under it, clients of several addresses.
import { afterEach, expect, test } from "vitest";
import { eventually, type PolicyPorts, startPostern, startService } from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";

afterEach(closeAll);

const policy = ({ port, admin, app }: PolicyPorts): string => `version: 1
service: orders
listeners:
  - name: inbound
    address: 127.0.0.1:${port}
    trustedProxies: [127.0.0.1]
    tls: { certificate: server.pem, key: server.key }
upstreams:
  app: { address: "http://127.0.0.1:${app}" }
admin: { address: "127.0.0.1:${admin}" }
defaults:
  address:
    denyFile: [drop.txt, { file: c2.csv, format: csv, column: dst_ip }, drop.json]
    exceptFile: partners.txt
routes:
  - path: /**
    public: true
`;

const files = {
  "drop.txt": "; Spamhaus DROP\n192.0.2.0/24 ; SBL1\nno address\n233.252.0.0/24 ; SBL9\n",
  "c2.csv": '# first_seen,dst_ip\n"2026-11-01","198.51.100.7"\n',
  "drop.json": '{"cidr":"2001:db8:bad::/48","sblid":"SBL2"}\n{"type":"metadata"}\n',
  "partners.txt": "192.0.2.77\n",
};

test("the file that met a client stands in the log, a new file counts at once, a damaged one leaves the old in force", async () => {
  const postern = await startPostern((await startService()).port, policy, files);
  const ask = async (address: string) => {
    const { status, reason } = await postern.call({ path: "/", headers: { "X-Forwarded-For": address } });
    return `${status} ${reason ?? ""}`.trim();
  };
  expect(await ask("192.0.2.9")).toBe("403 address_denied");
  expect(await ask("::ffff:192.0.2.9")).toBe("403 address_denied");
  expect(await ask("198.51.100.7")).toBe("403 address_denied");
  expect(await ask("2001:db8:bad::1")).toBe("403 address_denied");
  expect(await ask("192.0.2.77"), "a partner on a feed's list").toBe("200");
  expect(await ask("203.0.113.1")).toBe("200");
  expect(await ask("203.0.113.1, 192.0.2.9"), "what a client puts before its own address is not believed").toBe(
    "403 address_denied",
  );
  expect(await postern.logged(({ list }) => list === "c2.csv")).toMatchObject({ client: "198.51.100.7" });
  expect(
    await postern.logged(({ event, msg }) => event === "warning" && /drop\.txt:3/.test(String(msg))),
  ).toBeDefined();

  postern.write("drop.txt", "203.0.113.0/24\n");
  await eventually(
    () => ask("203.0.113.1"),
    (seen) => seen === "403 address_denied",
  );
  expect(await ask("192.0.2.9")).toBe("200");

  postern.write("drop.txt", "<html><body>\nBad gateway\n</body></html>\n");
  const refused = await postern.logged(({ event, result }) => event === "reload" && result === "refused");
  expect(JSON.stringify(refused)).toContain("'drop.txt' is no list of addresses: 3 of its 3 entries are none");
  expect(await ask("203.0.113.1")).toBe("403 address_denied");
  const metrics = (await postern.admins("/metrics")).body;
  expect(metrics).toMatch(
    /postern_list_denials_total\{list="drop.txt",reason="address_denied",result="denied"\} [1-9]/,
  );
  expect(metrics).toMatch(/postern_list_denials_total\{list="drop.json",reason="address_denied",result="denied"\} 1/);
});
