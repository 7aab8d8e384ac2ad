import { ROWS } from "../attributes/table.ts";
import { PHASES } from "../decision/phases.ts";
import { REASONS } from "../decision/reason.ts";
import { TAKEN, TRUSTED_HEADERS } from "../message/trusted-headers.ts";

/** The closed lists that users meet in answers, logs and metrics, as Markdown: policies/REFERENCE.md, held by a test. */
export function referenceText(): string {
  const reasons = Object.entries(REASONS).map(
    ([reason, { status, grpcStatus, source, text }]) =>
      `| \`${reason}\` | ${status} | ${grpcStatus} | ${source} | ${text} |`,
  );
  const attributes = [...ROWS.values()].map(
    ({ example, type, from, until, shown, description }) =>
      `| \`${example}\` | ${type} | \`${from}\`${until === from ? " alone" : ""} | ${shown} | ${description} |`,
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

## Attributes

What a rule can look at, and from which phase on. A name that has dots itself stands in quotes: \`jwt."https://example.org/tenant"\`.
What the request has not is absent: never an empty text, and never equal to anything. Shown says where a value may come up:
as a label of a metric, in a log line, or nowhere, as everything whose name looks like a credential.

| attribute | type | from phase | shown | what it is |
|---|---|---|---|---|
${attributes.join("\n")}
`;
}

/** The table of headers that somebody trusts, as Markdown: docs/request-headers.md, held by a test. */
export function requestHeadersText(): string {
  const sections = Object.entries(TAKEN).map(([taken, meaning]) => {
    const rows = TRUSTED_HEADERS.filter((row) => row.taken === taken).map(
      ({ names, product, source }) => `| ${names.map((name) => `\`${name}\``).join(" ")} | ${product} | ${source} |`,
    );
    return `## ${taken}: ${meaning}\n\n| headers | who believes them | where that stands |\n|---|---|---|\n${rows.join("\n")}\n`;
  });
  return `# Request headers that come off

Written by \`npm run generate\` from \`src/message/trusted-headers.ts\`; do not edit.

No client's header of these reaches the service unless the policy names it (\`request.keepHeaders\`, \`request.forward\`,
\`validate.headers\`): each is known to move a request after it was judged, or to say who the caller is. \`*\` at the end
stands for every name that begins so. \`X-Forwarded-*\`, \`Forwarded\` and \`Proxy-*\` among them can never be named:
postern writes them itself, or they end here. The same names in other spellings (\`SCRIPT_NAME\`, \`Script.Name\`) come off like
every name that is more than letters, digits and dashes. What always comes off, and what passes:
[request](../src/filters/request/README.md).

${sections.join("\n")}`;
}
