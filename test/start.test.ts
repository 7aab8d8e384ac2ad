// Goal: what a small policy does not ask for is not loaded, so that neither its start nor its memory grows unseen.
// Method: the bundle runs on the smallest policy; a hook of Node's loader tells every file that it reads until it is ready.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { build } from "../build.ts";
import { freePort } from "./fixtures/free-port.ts";
import { PATIENCE_MS } from "./fixtures/patience.ts";

/** Of source that V8 keeps as long as the process lives. What makes it larger belongs into a part that is loaded when needed. */
const START_BYTES_MAX = 1_200_000;
const START_FILES_MAX = 4;

const HOOK = `import { registerHooks } from "node:module";
registerHooks({
  load(url, context, next) {
    if (url.startsWith("file:")) process.stderr.write("loaded " + url + "\\n");
    return next(url, context);
  },
});
`;

let folder: string;
let bundle: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "postern-start-"));
  bundle = await build(join(folder, "dist"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function loadedBy(sections: string): Promise<readonly string[]> {
  const policy = join(folder, "policy.yaml");
  writeFileSync(
    policy,
    `version: 1
service: small
listeners: [{ name: inbound, address: "127.0.0.1:${await freePort()}" }]
upstreams: { app: { address: "http://127.0.0.1:9" } }
${sections}
`,
  );
  const hook = join(folder, "hook.mjs");
  writeFileSync(hook, HOOK);
  const child = spawn(process.execPath, ["--import", hook, bundle, "run", "--policy", policy], {
    timeout: PATIENCE_MS,
  });
  const loaded: string[] = [];
  let told = "";
  child.stderr.on("data", (chunk: Buffer) => {
    told += chunk;
  });
  let log = "";
  await new Promise<void>((done, failed) => {
    child.once("exit", () => failed(new Error(`it ended: ${log}${told}`)));
    child.stdout.on("data", (chunk: Buffer) => {
      log += chunk;
      if (log.includes('"event":"ready"')) done();
    });
  });
  const ended = new Promise((done) => child.once("exit", done));
  child.kill("SIGKILL");
  await ended;
  for (const [, url = ""] of told.matchAll(/^loaded (.+)$/gm)) loaded.push(fileURLToPath(url));
  return loaded.filter((file) => basename(file) !== "hook.mjs");
}

const bytesOf = (files: readonly string[]): number => files.reduce((sum, file) => sum + statSync(file).size, 0);

test("the smallest policy starts with few files and few bytes", async () => {
  const files = await loadedBy("routes: [{ path: /**, public: true }]");
  expect(files.map((file) => basename(file))).toContain("postern.js");
  expect(files.length, files.join("\n")).toBeLessThanOrEqual(START_FILES_MAX);
  expect(bytesOf(files)).toBeLessThanOrEqual(START_BYTES_MAX);
});

test("one that asks for more loads more", async () => {
  const few = await loadedBy("routes: [{ path: /**, public: true }]");
  const more = await loadedBy(`limits: { daily: { quota: 5/day, key: client.address } }
routes: [{ path: /**, public: true, limit: [daily], validate: { query: { page: { type: integer } } } }]`);
  expect(more.length).toBeGreaterThan(few.length);
  expect(bytesOf(more)).toBeGreaterThan(bytesOf(few));
});
