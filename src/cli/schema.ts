import { includedJsonSchemaText, policyJsonSchemaText } from "../policy/json-schema.ts";
import { referenceText, requestHeadersText } from "../policy/reference.ts";
import { logReferenceText } from "../telemetry/log-reference.ts";
import { type Command, EXIT, misuse, parseOptions } from "./command.ts";

export const schemaCommand: Command = {
  name: "schema",
  summary: "Prints the JSON Schema of policies, for editors.",
  usage: "[--included | --reference | --request-headers | --log]",
  options: `--included           that of the files of 'include' instead
    --reference          phases and reasons instead, as Markdown
    --request-headers    request headers that come off and who would believe them, as Markdown
    --log                fields of log lines, as Markdown`,
  example:
    "postern schema > policy.schema.json\nThen begin the policy with: # yaml-language-server: $schema=policy.schema.json",
  async run(args, io) {
    const parsed = parseOptions(args, {
      included: { type: "boolean", default: false },
      reference: { type: "boolean", default: false },
      "request-headers": { type: "boolean", default: false },
      log: { type: "boolean", default: false },
    });
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
