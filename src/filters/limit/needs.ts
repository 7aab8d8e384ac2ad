import type { Limit, RouteContext } from "../filter.ts";

/** A route names the limit: what it looks at must not be another thing to the service. */
export function noteNeeds({ key, needs }: Limit, context: Pick<RouteContext, "judgeMethod" | "readAnswers">): void {
  if (key?.reader.hasMethod === true) context.judgeMethod();
  else if (needs?.tellsMethods) context.judgeMethod(needs.tellsMethods);
  if (needs?.readsAnswers === true) context.readAnswers();
}
