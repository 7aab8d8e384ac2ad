import { createServer, type ServerResponse } from "node:http";

/** A service that works at 16 requests at once, some milliseconds each; the rest stands in its line. Prints its port. */
const AT_ONCE = 16;
const WORK_MS = 4;

const line: ServerResponse[] = [];
let working = 0;

function work(): void {
  while (working < AT_ONCE) {
    const answer = line.shift();
    if (answer === undefined) return;
    if (answer.destroyed) continue;
    working++;
    setTimeout(() => {
      working--;
      answer.end("done");
      work();
    }, WORK_MS);
  }
}

const server = createServer((_asked, answer) => {
  line.push(answer);
  work();
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  process.stdout.write(`${typeof address === "object" && address !== null ? address.port : 0}\n`);
});
process.stdin.resume().on("end", () => process.exit(0));
