import { PHASES } from "../decision/phases.ts";
import { REASONS } from "../decision/reason.ts";

/** The closed lists that users meet in answers, logs and metrics, as Markdown: policies/REFERENCE.md, held by a test. */
export function referenceText(): string {
  const reasons = Object.entries(REASONS).map(
    ([reason, { status, grpcStatus, source, text }]) =>
      `| \`${reason}\` | ${status} | ${grpcStatus} | ${source} | ${text} |`,
  );
  return `# Reference

Written by \`npm run generate\` from the code that uses these lists; do not edit.

## Phases

A request passes them in this order: ${PHASES.map((phase) => `\`${phase}\``).join(", ")}.

## Reasons

Why postern answered instead of the service. The reason is the \`reason\` of the problem document (RFC 9457), of the log
line and of the metric \`postern_requests_total\`; \`source\` says whose fault it is. The client gets the text and never
what was seen; of what would have been accepted it learns a missing scope, as RFC 6750 has it.

| reason | HTTP status | gRPC status | source | text for the client |
|---|---|---|---|---|
${reasons.join("\n")}
`;
}
