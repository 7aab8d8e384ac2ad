import { CONTINUE, Denial, type Verdict } from "../../../src/decision/verdict.ts";
import type { Check } from "../../../src/filters/filter.ts";
import { createExchange, MemoryBody } from "../../fixtures/route-context.ts";
import { createTokenMint } from "../../fixtures/tokens.ts";
import { type Files, routeOf, snapshotOf, warningsOf } from "../policy-kit.ts";
import { api, filesWith, policyOf } from "./kit.ts";

/** One operation, POST /orders, whose body has these media types. */
export const document = (content: string): string =>
  `${api(
    `
/orders:
  post:
    security: []
    requestBody:
      required: true
      content:
${content.trim().replaceAll(/^/gm, "        ")}
`,
  )}`;

let mint: ReturnType<typeof createTokenMint> | undefined;

export async function checkOf(content: string, settings = "public: true", others: Files = {}): Promise<Check> {
  mint ??= createTokenMint();
  const { jwks } = await mint;
  const snapshot = await snapshotOf(policyOf(settings), filesWith(jwks, document(content), others));
  const check = routeOf(snapshot, "/orders").checks.find(({ name }) => name === "validate");
  if (check === undefined) throw new Error("nothing is validated");
  return check;
}

export async function looseOf(content: string): Promise<readonly string[]> {
  mint ??= createTokenMint();
  return await warningsOf(policyOf("public: true"), filesWith((await mint).jwks, document(content)));
}

/** As the pipeline has it: the check, and then its watch while the body streams. */
export async function judge(check: Check, type: string, body: string | Buffer): Promise<Verdict> {
  const headers = [["content-type", type]] as const;
  const exchange = createExchange({ method: "POST", headers, body: new MemoryBody([body]) });
  const verdict = await check.evaluate(exchange);
  const watch = verdict === CONTINUE && exchange.collectedBody === null ? (check.watch?.(exchange) ?? null) : null;
  if (watch === null) return verdict;
  const judged = await watch.scan(Buffer.from(body));
  return judged instanceof Denial ? judged : watch.end();
}
