import type { LearntRoute } from "./learnt-route.ts";
import { firstRows, LEFT_OUT, type LeftOutWord } from "./left-out.ts";
import type { Lesson } from "./lesson.ts";
import { dayOf } from "./policy-text.ts";
import { commentText } from "./safe-yaml.ts";

const ROWS_TOLD = 20;

/** What was learnt and what was left out, for people. */
export function lessonSummary(
  { requests, learnt, declared, routes, leftOut, thresholds }: Lesson,
  skipped: number,
): string {
  const lines = [
    `${requests} requests: ${routes.length} operations learnt of ${learnt} that count`,
    ...(declared > 0 ? [`${declared} of operations that documents declare, which stay as they are`] : []),
    ...(skipped > 0
      ? [`${skipped} ${skipped === 1 ? "line is" : "lines are"} no request that can be read, skipped`]
      : []),
  ];
  let last: LeftOutWord | null = null;
  for (const { why, what, support } of firstRows(leftOut, ROWS_TOLD)) {
    if (why !== last) lines.push(`left out, ${why}: ${LEFT_OUT[why]}`);
    last = why;
    lines.push(`  ${support.requests} of ${support.callersText}  ${commentText(what)}`);
  }
  if (leftOut.length > ROWS_TOLD) lines.push(`and ${leftOut.length - ROWS_TOLD} more rows`);
  if (thresholds.callers > 1 && leftOut.some(({ why }) => why === "few_callers"))
    lines.push("with --min-callers 1 one caller is enough");
  return `${lines.join("\n")}\n`;
}

/** The same whole, for machines. */
export function lessonJson(lesson: Lesson): string {
  const { requests, learnt, declared, firstMs, lastMs, thresholds, routes, limits, leftOut } = lesson;
  const told = {
    requests,
    learnt,
    declared,
    first: dayOf(firstMs),
    last: dayOf(lastMs),
    minRequests: thresholds.requests,
    minCallers: thresholds.callers,
    operations: routes.map(routeRow),
    limits: limits.map(({ name, key, rate: { peak, perMinute, clients, windows } }) => {
      return { name, key, perMinute, peak, clients, windows };
    }),
    leftOut: leftOut.map(({ why, what, support }) => ({
      why,
      what,
      requests: support.requests,
      callers: support.sources.size,
    })),
  };
  return `${JSON.stringify(told, null, 2)}\n`;
}

function routeRow({
  path,
  method,
  route,
  evidence,
  authenticate,
  authorize,
  parameters,
  query,
  contentType,
  bodyBytesMax,
}: LearntRoute): object {
  const { support, firstMs, lastMs } = evidence;
  const values = (of: LearntRoute["parameters"]): object =>
    Object.fromEntries(Array.from(of, ([name, { value }]) => [name, value]));
  return {
    method,
    path,
    from: route.template,
    requests: support.requests,
    callers: support.sources.size,
    first: dayOf(firstMs),
    last: dayOf(lastMs),
    authenticate,
    authorize,
    pathParameters: values(parameters),
    query: query === null ? null : values(query),
    contentType: contentType?.value ?? null,
    maxBytes: bodyBytesMax?.value ?? null,
  };
}
