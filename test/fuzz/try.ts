import { newTally, requestBatch, responseBatch } from "./codec-campaign.ts";
import { llhttpServer } from "./llhttp.ts";

const server = llhttpServer();
const tally = newTally();
const t = performance.now();
const seed = Number(process.argv[2]);
for (let b = 0; b < Number(process.argv[3]); b++) {
  await requestBatch(tally, server, seed, b * 50, 50);
  await responseBatch(tally, seed, b * 50, 50);
}
console.log(tally.messages, tally.cases, tally.outcomes, (performance.now() - t) / 1000);

for (const d of tally.disagreements) {
  console.log(d.kind, d.what, d.method ?? "", JSON.stringify(d.bytes));
}
