// Goal: a step of the ladder that denies callers what they were allowed ends by itself where the policy has a guard, and no edit is taken
// back for what a step does, or its end. Method: a real postern with a guard, callers by API keys, steps set over the admin port.
import { createHash } from "node:crypto";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { closeAll } from "../fixtures/closing.ts";
import { eventually } from "../fixtures/eventually.ts";
import { type LivePostern, startLivePostern } from "../fixtures/live-postern.ts";
import { startService } from "../fixtures/postern.ts";

const CALLERS = [0, 1, 2, 3, 4, 5, 6];
const key = (caller: number): string => `pk_0123456789abcdef012345678${caller}`;
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const keys = CALLERS.map((one) => `  - { name: caller${one}, scopes: [a], keys: [{ sha256: "${sha256(key(one))}" }] }`);

const policy = (service: string, mode: string): string => `version: 1
service: ${service}
listeners: [{ name: inbound, address: 127.0.0.1:8080 }]
upstreams: { app: { address: "http://127.0.0.1:3000" } }
admin: { address: 127.0.0.1:9901, token: { file: admin.token } }
authenticators: { partners: { type: api-key, header: X-Api-Key, keys: keys.yaml } }
guard: { callers: 5 }
routes:
  - { path: /orders, methods: [GET], authenticate: [partners], authorize: { scopes: [b], mode: ${mode} } }
`;

let postern: LivePostern;

beforeAll(async () => {
  const { port } = await startService();
  postern = await startLivePostern(
    {
      "policy.yaml": policy("before", "audit"),
      "admin.token": "0123456789abcdef0123456789abcdef\n",
      "keys.yaml": `callers:\n${keys.join("\n")}\n`,
    },
    port,
  );
});
afterAll(closeAll);

beforeEach(async () => {
  await ladder("clear");
});

const ladder = (...words: readonly string[]) => postern.command("ladder", ...words, "--policy", "policy.yaml");
const CHECK = "authorize of GET /orders";

async function load(text: string): Promise<void> {
  postern.write("policy.yaml", text);
  postern.daemon.reload();
  await postern.daemon.reloadSettled();
}

const ask = async (caller: number): Promise<number> => {
  const response = await fetch(`${postern.url}/orders`, { headers: { "x-api-key": key(caller) } });
  await response.arrayBuffer();
  return response.status;
};

/** All callers, one after the other; the first that the guard needs are denied in any case. */
async function everybody(): Promise<readonly number[]> {
  const statuses: number[] = [];
  for (const caller of CALLERS) statuses.push(await ask(caller));
  return statuses;
}

const ended = () => postern.sink.events("ladder_step").at(-1);

test("a check that is set to enforce goes back to its step as callers lose what they had, and the edit just before it stays", async () => {
  await load(policy("edited", "audit"));
  expect(await everybody()).toEqual(CALLERS.map(() => 200));
  expect((await ladder("set", CHECK, "enforce")).code).toBe(0);
  expect(postern.daemon.status.guardedUntil).not.toBeNull();
  expect((await everybody()).slice(0, 5)).toEqual([403, 403, 403, 403, 403]);
  await eventually(() => postern.daemon.status.steps.length === 0);
  expect(ended()).toMatchObject({
    level: "warn",
    state: "ended",
    check: CHECK,
    why: expect.stringMatching(
      /^5 of \d callers were denied what the step before allows them; the first: scope_missing/,
    ),
  });
  expect(postern.daemon.status).toMatchObject({ service: "edited", stale: false, rolledBack: null });
  expect(await everybody()).toEqual(CALLERS.map(() => 200));
});

test("a step that is over gives back what it had let pass, and no edit is to blame for that", async () => {
  await load(policy("strict", "enforce").replace("guard: { callers: 5 }\n", ""));
  await load(policy("stricter", "enforce"));
  expect((await ladder("set", CHECK, "audit")).code).toBe(0);
  await load(policy("strictest", "enforce"));
  expect(await everybody()).toEqual(CALLERS.map(() => 200));
  await ladder("unset", CHECK);
  expect(await everybody()).toEqual(CALLERS.map(() => 403));
  expect(await everybody()).toEqual(CALLERS.map(() => 403));
  expect(postern.daemon.status).toMatchObject({ service: "strictest", stale: false, rolledBack: null });
});

test("an edit that denies too much gives way all the same while a lower step stands", async () => {
  await load(policy("sound", "audit"));
  const limits = "limits: { many: { rate: 9000/second, key: principal } }\nguard: { callers: 5 }\n";
  await load(
    policy("wrong", "audit").replace("guard: { callers: 5 }\n", limits).replace("GET]", "PUT], limit: [many]"),
  );
  expect(await ladder("set", "limits.many", "audit")).toMatchObject({ code: 0, err: "" });
  expect((await everybody()).slice(0, 5)).toEqual([405, 405, 405, 405, 405]);
  await eventually(() => postern.daemon.status.rolledBack !== null);
  expect(postern.daemon.status).toMatchObject({ service: "sound", rolledBack: { cause: "guard" } });
});
