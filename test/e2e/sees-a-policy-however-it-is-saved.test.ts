// Goal: however a file is saved, the policy that its author meant comes into force, once, and no other does meanwhile; what is
// saved without a change changes nothing. Method: a real daemon in this process, real programs, files as volumes show them.
import { execFileSync } from "node:child_process";
import {
  closeSync,
  copyFileSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { connect as connectNet } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { assembleDaemon } from "../../src/cli/assemble.ts";
import type { Issued } from "../../src/cli/development-ca.ts";
import { type Daemon, startDaemon } from "../../src/daemon/daemon.ts";
import { systemClock } from "../../src/support/clock.ts";
import { eventually } from "../fixtures/eventually.ts";
import { createTestPki, type TestPki } from "../fixtures/pki.ts";
import { isThere } from "../fixtures/program.ts";
import { MemorySink } from "../fixtures/telemetry.ts";

let folder: string;
let policyFile: string;
let daemon: Daemon;
let sink: MemorySink;
let pki: TestPki;

/** A policy as long as any other of these, that only `service` tells from them. */
function policy(service: string): string {
  return `version: 1
service: ${service.padEnd(12, "-")}x
listeners:
  - name: inbound
    address: unix:${join(folder, "inbound")}
    tls: { certificate: mount/tls.crt, key: mount/tls.key }
upstreams: { app: { address: "http://127.0.0.1:1" } }
routes: [{ path: /a, public: true }]
`;
}

const inForce = (service: string) =>
  eventually(() => daemon.status.service === `${service.padEnd(12, "-")}x` && !daemon.status.stale);

/** A volume as the kubelet and csi drivers fill it: links into ..data, which leads to another folder at each swap. */
function mounted(version: string, { certificate, key }: Issued): void {
  const mount = join(folder, "mount");
  mkdirSync(join(mount, version));
  writeFileSync(join(mount, version, "tls.crt"), certificate);
  writeFileSync(join(mount, version, "tls.key"), key);
  symlinkSync(version, join(mount, "..data_tmp"));
  renameSync(join(mount, "..data_tmp"), join(mount, "..data"));
}

const issue = (): Promise<Issued> =>
  pki.ca.issue({ commonName: "localhost", usage: "server", dnsNames: ["localhost"] });

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "postern-saved-"));
  policyFile = join(folder, "policy.yaml");
  pki = await createTestPki();
  mkdirSync(join(folder, "mount"));
  mounted("..1", await issue());
  for (const name of ["tls.crt", "tls.key"]) symlinkSync(`..data/${name}`, join(folder, "mount", name));
  writeFileSync(policyFile, policy("first"));
  sink = new MemorySink();
  const timings = { debounceMs: 5, pollMs: 100, settleMs: 50 };
  const started = await startDaemon({ policyFile, timings }, assembleDaemon(systemClock, sink, undefined));
  if (!started.ok) throw new Error(started.error.map(({ text }) => text).join("\n"));
  daemon = started.value;
});

afterAll(async () => {
  await daemon.close();
  rmSync(folder, { recursive: true });
});

const edit = (to: string): string => `s/service: .*/service: ${to.padEnd(12, "-")}x/`;

type Save = readonly [how: string, needs: string, save: (to: string) => void];

const SAVES: readonly Save[] = [
  ["sed -i", "sed", (to) => execFileSync("sed", ["-i", edit(to), policyFile])],
  ["ed, where it stands", "ed", (to) => execFileSync("ed", ["-s", policyFile], { input: `%${edit(to)}\nw\nq\n` })],
  ...(["yes", "no", "auto"] as const).map((copy): Save => {
    const commands = ["-c", `set backupcopy=${copy} backup`, "-c", "%", "-c", "wq"];
    return [
      `vim with backupcopy=${copy}`,
      "vim",
      (to) =>
        execFileSync("vim", ["-u", "NONE", "-es", ...commands.with(3, `%${edit(to)}`), policyFile], {
          stdio: "ignore",
        }),
    ];
  }),
  [
    "as emacs: the old file becomes the backup, a new one is written",
    "sh",
    (to) => {
      renameSync(policyFile, `${policyFile}~`);
      writeFileSync(policyFile, policy(to));
    },
  ],
  [
    "an atomic save: written beside it, renamed over it",
    "sh",
    (to) => {
      writeFileSync(`${policyFile}.new`, policy(to));
      renameSync(`${policyFile}.new`, policyFile);
    },
  ],
  [
    "cp over it, its times kept as they were",
    "cp",
    (to) => {
      writeFileSync(join(folder, "other.yaml"), policy(to));
      utimesSync(join(folder, "other.yaml"), new Date(0), new Date(0));
      execFileSync("cp", ["-p", join(folder, "other.yaml"), policyFile]);
    },
  ],
  [
    "install, as packages and tools of deployment do",
    "install",
    (to) => {
      writeFileSync(join(folder, "other.yaml"), policy(to));
      execFileSync("install", ["-m", "0640", join(folder, "other.yaml"), policyFile]);
    },
  ],
  [
    "a file that is mounted alone: the same inode, cut to nothing and written in pieces",
    "sh",
    (to) => {
      const file = openSync(policyFile, "r+");
      ftruncateSync(file, 0);
      const text = policy(to);
      for (let at = 0; at < text.length; at += 40) writeSync(file, text.slice(at, at + 40));
      closeSync(file);
    },
  ],
];

describe("the policy is seen when it is saved by", () => {
  for (const [at, [how, needs, save]] of SAVES.entries()) {
    test.skipIf(!isThere(needs))(how, async () => {
      const { generation } = daemon.status;
      const { refused } = daemon.telemetry.metrics.reloads;
      save(`save${at}`);
      await inForce(`save${at}`);
      expect(readFileSync(policyFile, "utf8")).toBe(policy(`save${at}`));
      expect(daemon.status.generation).toBe(generation + 1);
      expect(daemon.telemetry.metrics.reloads.refused).toBe(refused);
    });
  }
});

test("the same content saved again, in every way, is no new policy, and connections stay", async () => {
  const { generation, hash } = daemon.status;
  const client = connectNet(join(folder, "inbound"));
  await new Promise((resolve) => client.once("connect", resolve));
  let isClosed = false;
  client.once("close", () => {
    isClosed = true;
  });
  copyFileSync(policyFile, `${policyFile}.same`);
  const same = readFileSync(policyFile);
  writeFileSync(policyFile, same);
  renameSync(`${policyFile}.same`, policyFile);
  utimesSync(policyFile, new Date(), new Date());
  daemon.reload();
  await daemon.reloadSettled();
  // What comes next is seen, so what came before it was, too.
  writeFileSync(`${policyFile}.new`, policy("after"));
  expect(daemon.status).toMatchObject({ generation, hash });
  renameSync(`${policyFile}.new`, policyFile);
  await inForce("after");
  expect(daemon.status.generation).toBe(generation + 1);
  expect(isClosed).toBe(false);
  client.destroy();
});

test("certificate and key swap as one; a key that does not fit is refused with its line, the old pair stays", async () => {
  const expiries = () => daemon.telemetry.metrics.policy?.hash;
  const [second, third] = [await issue(), await issue()];
  const before = expiries();
  mounted("..2", second);
  rmSync(join(folder, "mount/..1"), { recursive: true });
  await eventually(() => expiries() !== before);
  expect(daemon.status.stale).toBe(false);

  const whole = expiries();
  mounted("..3", { ...third, key: second.key });
  await eventually(() => daemon.status.stale);
  expect(daemon.status.lastAttempt.problems[0]).toContain("policy.yaml:6:");
  expect(daemon.status.lastAttempt.problems[0]).toContain("the key does not fit the first certificate");
  expect(expiries()).toBe(whole);
  expect(sink.lines.some((line) => JSON.stringify(line).includes("PRIVATE KEY"))).toBe(false);

  mounted("..4", third);
  await eventually(() => !daemon.status.stale);
  expect(expiries()).not.toBe(whole);
});
