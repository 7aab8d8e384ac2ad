import { createHmac } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { EXIT } from "../../src/cli/command.ts";
import { main } from "../../src/main.ts";
import { systemClock } from "../../src/support/clock.ts";
import {
  eventually,
  ORDER_ID,
  ORDER_SCHEMA,
  ordersPolicy,
  type Postern,
  type Service,
  startPostern,
  startService,
  theWorld,
} from "../fixtures/postern.ts";

const DEBUG_KEY = "0123456789abcdef0123456789abcdef";
const ADMIN_TOKEN = "admin-0123456789abcdef0123456789abcdef";

/** Planted all over; none may come out anywhere. */
const SECRETS = {
  header: "planted-header-value",
  query: "planted-query-value",
  cookie: "planted-cookie-value",
  body: "planted-body-value",
  claim: "planted-claim-value",
  agent: "sk_live_plantedinagent",
  path: "plantedInPath0123456789Abc",
};

let postern: Postern;
let service: Service;
let token = "";

async function explain(...args: readonly string[]) {
  const { code, out } = begin(...args);
  const exit = await code;
  return { code: exit, ...out };
}

function begin(...args: readonly string[]) {
  const out = { stdout: "", stderr: "" };
  const io = {
    stdout: (text: string) => {
      out.stdout += text;
    },
    stderr: (text: string) => {
      out.stderr += text;
    },
    cwd: postern.folder,
    clock: systemClock,
  };
  const where = ["--address", `127.0.0.1:${postern.admin}`];
  return { code: main(["explain", ...where, ...args], io), out };
}

beforeAll(async () => {
  service = await startService();
  const policy = (ports: Parameters<typeof ordersPolicy>[0]): string =>
    ordersPolicy(ports)
      .replace(/^admin: .*$/m, `admin: { address: "127.0.0.1:${ports.admin}", token: { file: admin.token } }`)
      .replace(
        "defaults:",
        "decisions: { sample: 100%, claims: [tenant], headers: [x-shown], debugHeader: { key: { file: debug.key } } }\ndefaults:",
      );
  postern = await startPostern(service.port, policy, {
    "admin.token": ADMIN_TOKEN,
    "debug.key": DEBUG_KEY,
    "order.json": ORDER_SCHEMA,
  });
  token = await (await theWorld()).mint.token({ scope: "orders:write", tenant: "acme", hidden: SECRETS.claim });
});

function planted(path: string, changes: Record<string, string> = {}) {
  return {
    path: `${path}?page=2&secret=${SECRETS.query}`,
    headers: {
      Authorization: `Bearer ${token}`,
      Cookie: `sid=${SECRETS.cookie}`,
      "X-Other": SECRETS.header,
      "X-Shown": "shown",
      "User-Agent": `test/1 ${SECRETS.agent}`,
      ...changes,
    },
  };
}

/** The decision, once it is kept: the answer may be with the client a moment before. */
async function decision(id: string | undefined): Promise<string> {
  const found = await eventually(
    () => postern.admins(`/decisions?id=${id}`),
    ({ status }) => status === 200,
  );
  return found.body;
}

describe("a denial", () => {
  test("is told by its id: who asked what, and which line refused it", async () => {
    const { status, id } = await postern.call(planted(`/orders/${ORDER_ID}`));
    expect(status).toBe(403);
    await decision(id);
    const { code, stdout } = await explain(String(id));
    expect(code).toBe(EXIT.problems);
    expect(stdout).toContain(`GET /orders/${ORDER_ID}?page=…&secret=…`);
    expect(stdout).toMatch(/match +route +info .*policy\.yaml:\d+:\d+ +\/orders\/\{orderId\}/);
    expect(stdout).toMatch(/authenticate +caller +info .* jwt 'alice' by okta; scopes orders:write; .*tenant "acme"/);
    expect(stdout).toMatch(/authorize +authorize +deny +\S*policy\.yaml:\d+:\d+/);
    expect(stdout).toMatch(/denied: scope_missing \(403\) at \S*policy\.yaml:\d+:\d+\n/);
  });

  test("for a credential or a limit stands in the phase that judged it, though its line is of another section", async () => {
    const forged = await postern.call({ path: `/orders/${ORDER_ID}`, headers: { Authorization: `Bearer ${token}x` } });
    expect(forged.status).toBe(401);
    await decision(forged.id);
    const { stdout } = await explain(String(forged.id));
    expect(stdout).toMatch(/ match +route +info .*\n +authenticate +authenticate +deny +\S*policy\.yaml/);
  });

  test("holds no secret, wherever one was sent", async () => {
    const { body } = await postern.call({
      ...planted("/orders"),
      method: "POST",
      body: JSON.stringify({ sku: SECRETS.body, quantity: "none" }),
      headers: { ...planted("/orders").headers, "Content-Type": "application/json" },
    });
    const { id } = JSON.parse(body) as { id: string };
    const inPath = await postern.call(planted(`/orders/${SECRETS.path}`));
    const unmatched = await postern.call(planted(`/reset/${SECRETS.path}`));
    const told = (await Promise.all([id, inPath.id, unmatched.id].map(decision))).join("\n");
    const all = (await postern.admins("/decisions")).body;
    for (const secret of Object.values({ ...SECRETS, token })) {
      expect(told).not.toContain(secret);
      expect(all).not.toContain(secret);
    }
    expect(told).toContain('"x-shown: shown"');
    expect(told).toContain('"x-other"');
    expect(told).toContain("/orders/~redacted~");
    expect(told).toContain('"hidden"');
  });

  test("comes to who watches, in one line, whatever its path has", async () => {
    // It ends when the port does not show decisions any more.
    const watching = begin("--watch", "--for", "60s");
    // Until the watch has begun, denials pass it by.
    await eventually(
      async () => {
        await postern.call({ path: "/nowhere/%1b%5b2J" }).catch(() => null);
        await postern.call({ path: "/elsewhere" });
        return watching.out.stdout;
      },
      (text) => text.includes("/elsewhere"),
    );
    const line = watching.out.stdout;
    expect(line).toMatch(/^\d\d:\d\d:\d\d\.\d{3} {2}\S+ {2}404 GET \/elsewhere {2}127\.0\.0\.1 {2}route_not_found: /m);
    expect(line).not.toContain("\u001b");
  });
});

describe("a trace", () => {
  test("of the next request that meets a condition has each check and its time", async () => {
    const waiting = explain("--token-file", "admin.token", "--next", 'jwt.sub == "bob"', "--for", "20s");
    const bob = await (await theWorld()).mint.token({ sub: "bob" });
    let isOver = false;
    void waiting.then(() => {
      isOver = true;
    });
    const call = async (): Promise<boolean> => {
      await postern.call(planted(`/orders/${ORDER_ID}`));
      await postern.call(planted(`/orders/${ORDER_ID}`, { Authorization: `Bearer ${bob}` }));
      return isOver;
    };
    await eventually(call, (over) => over);
    const { code, stdout } = await waiting;
    expect([code, stdout]).toEqual([EXIT.fine, expect.stringContaining("jwt 'bob' by okta")]);
    for (const check of ["address", "authenticate", "authorize", "validate"]) {
      expect(stdout).toMatch(new RegExp(`${check} +pass +\\d+\\.\\d µs +\\S*policy\\.yaml`));
    }
    expect(stdout).toContain("allowed by route /orders/{orderId}");
  });

  test("is refused without the admin token", async () => {
    const { code, stderr } = await explain("--next", "request.method == 'GET'");
    expect([code, stderr]).toEqual([EXIT.problems, expect.stringContaining("(401)")]);
    const bare = await fetch(`http://127.0.0.1:${postern.admin}/decisions/trace`, { method: "POST", body: "{}" });
    expect(bare.status).toBe(415);
  });

  test("that nobody meets ends in time", async () => {
    const { code, stderr } = await explain(
      ...["--token-file", "admin.token", "--for", "300ms", "--next", "request.method == 'NONE'"],
    );
    expect([code, stderr]).toEqual([EXIT.problems, expect.stringContaining("no request met it in time")]);
  });
});

test("who signs a request reads why in its answer, and the service sees nothing of it", async () => {
  const signed = (path: string): string => {
    const seconds = Math.floor(Date.now() / 1000);
    const text = `${seconds}\nGET\nlocalhost\n${path}`;
    return `t=${seconds}, s=${createHmac("sha256", DEBUG_KEY).update(text).digest("hex")}`;
  };
  const ask = (path: string, debug: string) => postern.call({ path, headers: { "Postern-Debug": debug } });
  const refused = await ask("/limited", signed("/limited"));
  expect([refused.status, refused.headers["postern-decision"]]).toEqual([
    401,
    expect.stringMatching(
      /^id="\S+"; route="\/limited"; verdict=deny; reason=credentials_missing; place="\S+:\d+:\d+"$/,
    ),
  ]);
  const allowed = await ask("/public", signed("/public"));
  expect(allowed.headers["postern-decision"]).toMatch(/; verdict=allow$/);
  expect(service.arrived.at(-1)?.headers).not.toHaveProperty("postern-debug");
  const forged = await ask("/public", signed("/other"));
  expect([forged.status, forged.headers["postern-decision"]]).toEqual([200, undefined]);
  expect(service.arrived.at(-1)?.headers).not.toHaveProperty("postern-debug");
});

test("of an id that is not kept, or is none, that is told", async () => {
  const { code, stderr } = await explain("AAAAAAAA-zzz");
  expect([code, stderr]).toEqual([EXIT.problems, expect.stringContaining("no decision 'AAAAAAAA-zzz' is kept")]);
  const cut = await explain("AAAAAAA-z");
  expect([cut.code, cut.stderr]).toEqual([EXIT.misuse, expect.stringContaining("'AAAAAAA-z' is no request")]);
  expect((await postern.admins(`/decisions?id=${"x".repeat(3000)}`)).body.length).toBeLessThan(200);
});

test("without decisions nothing is kept, and the command says so", async () => {
  postern.write("policy.yaml", policyOff());
  await eventually(
    () => postern.admins("/decisions"),
    ({ status }) => status === 404,
  );
  const { code, stderr } = await explain("AAAAAAAA-zzz");
  expect([code, stderr]).toEqual([EXIT.problems, expect.stringContaining("'decisions: off'")]);
});

function policyOff(): string {
  return ordersPolicy(postern).replace("defaults:", "decisions: off\ndefaults:");
}
