#!/usr/bin/env node
// `postern` of a checkout, for npx, npm link and npm run: the sources, by the Node that came along as a package where the
// user's own is older. So this file is JavaScript that old ones read.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const NODE_MAJOR_MIN = 26;
const { INIT_CWD, npm_lifecycle_event } = process.env;

// npm run starts scripts at the top of the checkout; file names are the user's, from where the user stands.
if (INIT_CWD && ["postern", "start"].includes(npm_lifecycle_event ?? "")) process.chdir(INIT_CWD);

if (Number(process.versions.node.split(".")[0]) >= NODE_MAJOR_MIN) {
  // A package of the built product comes without the sources.
  const entry = existsSync(new URL("./main.ts", import.meta.url)) ? "./main.ts" : "../dist/postern.js";
  const { runProcess } = await import(entry);
  await runProcess();
} else {
  const node = fileURLToPath(new URL("../node_modules/node/bin/node", import.meta.url));
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: "inherit" });
  child.on("error", (error) => {
    console.error(`postern needs Node ${NODE_MAJOR_MIN}; this is ${process.version}, and ${error.message}: run npm ci`);
    process.exitCode = 2;
  });
  // Ctrl-C reaches both by the terminal.
  process.on("SIGINT", () => {});
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => {
    if (signal === null) process.exitCode = code ?? 1;
    else process.exitCode = 1;
  });
}
