import { includedJsonSchemaText, policyJsonSchemaText } from "../policy/json-schema.ts";
import { referenceText, requestHeadersText } from "../policy/reference.ts";
import { logReferenceText } from "../telemetry/log-reference.ts";
import { type Command, EXIT, misuse, type Options, parseOptions } from "./command.ts";

const OPTIONS = {
  included: { type: "boolean", default: false, text: "that of the files of 'include' instead" },
  reference: { type: "boolean", default: false, text: "phases and reasons instead, as Markdown" },
  "request-headers": {
    type: "boolean",
    default: false,
    text: "request headers that come off and who would believe them, as Markdown",
  },
  log: { type: "boolean", default: false, text: "fields of log lines, as Markdown" },
} as const satisfies Options;

export const schemaCommand: Command = {
  name: "schema",
  summary: "Prints the JSON Schema of policies, for editors.",
  usage: "[--included | --reference | --request-headers | --log]",
  options: OPTIONS,
  example:
    "postern schema > policy.schema.json\nThen begin the policy with: # yaml-language-server: $schema=policy.schema.json\nExit code 0: printed. 2: used wrongly.",
  async run(args, io) {
    const parsed = parseOptions(args, OPTIONS);
    if (!parsed.ok) return misuse(schemaCommand, parsed.error, io);
    if (parsed.value.positionals.length > 0) return misuse(schemaCommand, "expected no arguments", io);
    const { values } = parsed.value;
    const { included, reference, "request-headers": requestHeaders, log } = values;
    if ([included, reference, requestHeaders, log].filter(Boolean).length > 1) {
      return misuse(schemaCommand, "expected one of --included, --reference, --request-headers and --log", io);
    }
    if (reference) io.stdout(referenceText());
    else if (requestHeaders) io.stdout(requestHeadersText());
    else if (log) io.stdout(logReferenceText());
    else io.stdout(included ? await includedJsonSchemaText() : await policyJsonSchemaText());
    return EXIT.fine;
  },
};
