import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import type { BookRequest } from "./book-messages.ts";

const PURPOSE = "postern quota book";

/**
 * A thread that writes the file of quotas, so that a slow disk holds no request. Its code is this module, which is loaded
 * where the first quota is kept, and SQLite, which is loaded in the thread alone.
 */
export function startBookWorker(): Worker {
  return new Worker(new URL(import.meta.url), {
    workerData: PURPOSE,
    name: PURPOSE,
    env: {},
    resourceLimits: { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 64, stackSizeMb: 1 },
  });
}

if (!isMainThread && workerData === PURPOSE && parentPort !== null) {
  const port = parentPort;
  const { serveBook } = await import("./book-file.ts");
  const serve = serveBook((answer) => port.postMessage(answer));
  port.on("message", (request: BookRequest) => {
    serve(request);
    if (request.kind === "close") port.close();
  });
}
