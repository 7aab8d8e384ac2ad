import { CONTINUE, Denial } from "../decision/verdict.ts";
import type { BodyWatch } from "../message/body-watch.ts";
import type { Exchange } from "../message/exchange.ts";
import type { Subject } from "../proxy/pipeline.ts";

/**
 * What checks say of a body that they see go by, as forms with files and streams are: all of it at once here. The first denial
 * that is enforced; null for none, and where no content is given.
 */
export async function judgeWatched({ exchange, route, observer }: Subject): Promise<Denial | null> {
  const { bodyWatches, body } = exchange;
  if (bodyWatches === null || body.bytes === 0) return null;
  const content = contentOf(exchange);
  if (content === null) return null;
  for (const { check, watch, isEnforced } of bodyWatches) {
    const denial = await verdictOf(watch, content);
    if (denial === null) continue;
    const whole = route?.checks.find((one) => one === check);
    if (whole !== undefined) observer?.onCheck(whole, denial, isEnforced);
    if (isEnforced) return denial;
    exchange.audit(denial, check);
  }
  return null;
}

async function verdictOf(watch: BodyWatch, content: Buffer): Promise<Denial | null> {
  const staying = await watch.scan(content);
  if (staying instanceof Denial) return staying;
  const verdict = await watch.end();
  return verdict === CONTINUE ? null : verdict;
}

/** One that nobody sent is here at once; null where it is refused as a whole, or more than its route takes. */
function contentOf({ body, bodyBytesMax }: Exchange): Buffer | null {
  const chunks: Buffer[] = [];
  let isWhole = false;
  body.start(
    {
      onBody: (chunk) => {
        chunks.push(Buffer.from(chunk));
        return true;
      },
      onBodyEnd: () => {
        isWhole = true;
      },
      onBodyFailure: () => {},
    },
    bodyBytesMax,
  );
  return isWhole ? Buffer.concat(chunks) : null;
}
