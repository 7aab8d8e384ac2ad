import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** The service behind postern, a process of its own: `/big` is a megabyte, everything else a few bytes. */
const BIG = Buffer.alloc(1024 * 1024, "x");

const server = createServer((request, response) => {
  request.resume();
  request.on("error", () => {});
  request.on("end", () => response.end(request.url === "/big" ? BIG : '{"ok":true}'));
});
server.listen(Number(process.argv[2] ?? 0), "127.0.0.1", () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
// Whoever started it has gone: so does it.
process.stdin.resume().on("end", () => process.exit(0));
