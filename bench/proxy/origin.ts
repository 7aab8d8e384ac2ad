import { request } from "node:http";
import { join } from "node:path";
import { type Origins, untilReady } from "./launch.ts";
import { configureOrigin } from "./nginx.ts";
import { type Command, freePort, OTHER_CORE, start } from "./processes.ts";
import type { World } from "./world.ts";

/** Starts the services behind the proxies; gives their ports. */
export async function startOrigins(world: World): Promise<Origins> {
  const originPort = await freePort();
  const h2cPort = await freePort();
  await startOrigin(configureOrigin(originPort, h2cPort, join(world.folder, "origin"), world), originPort, world);
  const uploadPort = await freePort();
  const script = join(import.meta.dirname, "upload-origin.ts");
  await startOrigin({ file: process.execPath, args: [script, String(uploadPort)] }, uploadPort, world);
  return { originPort, h2cPort, uploadPort };
}

async function startOrigin(command: Command, port: number, world: World): Promise<void> {
  const origin = start(command, OTHER_CORE, join(world.folder, `origin-${port}.log`));
  await untilReady(origin, () => reachable(port));
}

function reachable(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = request({ host: "127.0.0.1", port, agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    probe.on("error", () => resolve(false));
    probe.end();
  });
}
