// Goal: keys that everybody may read and files that everybody may write are told where people look: by `check`, in the log at
// start and at each reload, and at /policy; what is in order is told nothing of. Method: real files in a folder of /tmp, by whoever runs the tests.

import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BUILT } from "../fixtures/built.ts";
import { othersReach } from "../fixtures/others-reach.ts";
import { eventually, ORDER_SCHEMA, ordersPolicy, type Postern, startPostern, theWorld } from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";

const AS_ROOT = process.geteuid?.() === 0 ? ["postern runs as root"] : [];

const isHidden = !othersReach(tmpdir());

let postern: Postern;
let edits = 0;
beforeAll(async () => {
  postern = await startPostern(1, ordersPolicy, { "order.json": ORDER_SCHEMA });
});
afterAll(closeAll);

const file = (name: string): string => join(postern.folder, name);

/** What is told of permissions, each up to the file's name. */
function told(lines: readonly string[]): string[] {
  const known =
    /(postern runs as root|'[^']*\/([^'/]+)' holds a private key|others may \w+ (?:what lies in )?'[^']*\/([^'/]+)')/;
  return lines.flatMap((line) => {
    const found = known.exec(line);
    if (found === null) return [];
    return [
      found[2] !== undefined ? `key ${found[2]}` : found[3] !== undefined ? `write ${found[3]}` : (found[1] ?? ""),
    ];
  });
}

const logged = (from: number): string[] =>
  told(postern.log.slice(from).flatMap((line) => (line["event"] === "warning" ? [String(line["msg"])] : [])));

const policy = async (): Promise<{ hash: string; warnings: string[] }> =>
  JSON.parse((await postern.admins("/policy")).body) as { hash: string; warnings: string[] };

function byCheck(): string[] {
  return told(execFileSync(process.execPath, [BUILT, "check", file("policy.yaml")], { encoding: "utf8" }).split("\n"));
}

/** An edit that changes nothing but the bytes; what /policy tells once it is in force, and the log as well. */
async function reload(): Promise<string[]> {
  const from = postern.log.length;
  const { hash } = await policy();
  postern.write("policy.yaml", `${ordersPolicy(postern)}# ${++edits}\n`);
  const { warnings } = await eventually(
    () => policy(),
    (now) => now.hash !== hash,
  );
  const found = told(warnings);
  await eventually(
    async () => logged(from),
    (lines) => lines.join() === found.join(),
  );
  return found.sort();
}

test("a folder that only its owner enters hides what lies in it, whatever the modes in there", async () => {
  await eventually(
    async () => logged(0),
    (lines) => lines.join() === AS_ROOT.join(),
  );
  expect(told((await policy()).warnings)).toEqual(AS_ROOT);
  expect(byCheck()).toEqual([]);
});

test.skipIf(isHidden)("a private key for everybody to read, a policy and a schema for everybody to write", async () => {
  chmodSync(postern.folder, 0o755);
  chmodSync(file("order.json"), 0o666);
  const found = ["key server.key", "write order.json"];
  expect(await reload()).toEqual([...found, ...AS_ROOT].sort());
  expect(byCheck().sort()).toEqual(found);
  chmodSync(file("server.key"), 0o640);
  chmodSync(file("order.json"), 0o644);
  expect(await reload()).toEqual(AS_ROOT);
});

test.skipIf(isHidden)("a Secret as Kubernetes mounts it: 0644 is told, and 0440 after the swap is not", async () => {
  const { pki } = await theWorld();
  const mount = (name: string, mode: number): void => {
    mkdirSync(file(`tls/${name}`), { recursive: true });
    writeFileSync(file(`tls/${name}/server.key`), pki.server.key);
    chmodSync(file(`tls/${name}/server.key`), mode);
    symlinkSync(name, file("tls/..tmp"));
    renameSync(file("tls/..tmp"), file("tls/..data"));
  };
  mount("..2026_1", 0o644);
  chmodSync(file("tls"), 0o1777);
  symlinkSync("tls/..data/server.key", file("linked"));
  renameSync(file("linked"), file("server.key"));
  expect(await reload()).toEqual(["key server.key", ...AS_ROOT].sort());
  mount("..2026_2", 0o440);
  expect(await reload()).toEqual(AS_ROOT);
  chmodSync(file("tls"), 0o777);
  expect(await reload()).toEqual([...AS_ROOT, "write tls"].sort());
});
