// Goal: what docs/reloading.md shows is what the commands say, of the very files that it shows.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { expect, test } from "vitest";
import { assembleDaemon } from "../src/cli/assemble.ts";
import { startDaemon } from "../src/daemon/daemon.ts";
import { systemClock } from "../src/support/clock.ts";
import { DEFAULTS } from "../src/support/defaults.ts";
import { freePort } from "./fixtures/free-port.ts";
import { MemorySink } from "./fixtures/telemetry.ts";
import { folderWith } from "./rehearsal/kit.ts";

const page = readFileSync(resolve(import.meta.dirname, "../docs/reloading.md"), "utf8");

/** The files of one part of the page, by the name in their first line. */
function filesOf(heading: string): Record<string, string> {
  const part = page.split(/^## /m).find((one) => one.startsWith(`${heading}\n`)) ?? "";
  const blocks = [...part.matchAll(/```yaml\n(# (\S+)\n[\s\S]*?)```/g)];
  return Object.fromEntries(blocks.map(([, text = "", name = ""]) => [name, text]));
}

/** The first terminal of that part: what is typed, and what comes. */
function terminalOf(heading: string): { readonly typed: string; readonly shown: string } {
  const part = page.split(/^## /m).find((one) => one.startsWith(`${heading}\n`)) ?? "";
  const [, typed = "", shown = ""] = /```\n\$ (.*)\n([\s\S]*?)```/.exec(part) ?? [];
  return { typed, shown };
}

test.each([
  ["Several files", 1, ["policy.yaml", "limits.yaml", "routes/orders.yaml"]],
  ["Anchors, aliases and merge keys", 0, ["anchors.yaml"]],
  ["Values from elsewhere", 1, ["values.yaml"]],
])("%s: the command says what the page shows", async (heading, code, names) => {
  const files = filesOf(heading);
  expect(Object.keys(files)).toEqual(names);
  const { folder, postern } = folderWith({});
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const { typed, shown } = terminalOf(heading);
  const words = [...typed.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");
  expect(await postern(...words.slice(1))).toEqual({ code, out: shown, err: "" });
});

test("Back to the policy before: the command says what the page shows", async () => {
  const heading = "Back to the policy before";
  const [port, admin] = [await freePort(), await freePort()];
  const text = (filesOf(heading)["policy.yaml"] ?? "").replace(":8080", `:${port}`).replace(":9901", `:${admin}`);
  const { folder, postern } = folderWith({ "policy.yaml": text, "admin.token": "0123456789abcdef0123" });
  const policyFile = join(folder, "policy.yaml");
  const started = await startDaemon({ policyFile }, assembleDaemon(systemClock, new MemorySink(), undefined));
  if (!started.ok) throw new Error(JSON.stringify(started.error));
  const daemon = started.value;
  const { hash } = daemon.status;
  writeFileSync(policyFile, text.replace("GET", "POST"));
  daemon.reload();
  await daemon.reloadSettled();
  const undone = daemon.status.hash;
  const { typed, shown } = terminalOf(heading);
  const [, first = "", second = ""] = /^policy (\w{16}) .*; (\w{16}),/.exec(shown) ?? [];
  const told = await postern(...typed.split(" ").slice(1));
  await daemon.close();
  expect(told).toEqual({ code: 0, out: shown.replace(first, hash).replace(second, undone), err: "" });
});

test("its numbers are the product's", () => {
  expect(page).toContain(
    `At most ${DEFAULTS.includedFilesMax} files, ${DEFAULTS.policyBytesMax / 2 ** 20} MiB together`,
  );
  expect(page).toContain(`is waited for ${DEFAULTS.reloadUnmarkedMs / 1000} s`);
  expect(page).toContain(`at most ${DEFAULTS.secretBytesMax / 1024} KiB`);
  expect(page).toContain(`among them, up to ${DEFAULTS.stateFileBytesMax / 2 ** 20} MiB`);
  const { policyNodesMax, policyDepthMax } = DEFAULTS;
  expect(page).toContain(`${policyNodesMax.toLocaleString("en")} values and ${policyDepthMax} levels deep`);
  expect(page).toContain(
    `denials: ${DEFAULTS.guardDenials * 100}%, within: ${DEFAULTS.guardWithinMs / 60_000}m, callers: ${DEFAULTS.guardCallers}`,
  );
  expect(page).toContain(
    `At most ${DEFAULTS.guardCallersMax.toLocaleString("en")} callers are told apart, ${DEFAULTS.guardWaitingMax} requests`,
  );
  expect(page).toContain(`take ${DEFAULTS.candidateCpuShare * 100} % of a processor`);
  expect(page).toContain(`taken after ${DEFAULTS.reloadSettleMaxMs / 1000} s`);
});
