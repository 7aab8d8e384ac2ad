import { policyJsonSchemaText } from "../policy/json-schema.ts";
import { referenceText, requestHeadersText } from "../policy/reference.ts";
import { type Command, EXIT, misuse, parseOptions } from "./command.ts";

export const schemaCommand: Command = {
  name: "schema",
  summary: "Prints the JSON Schema of policies, for editors.",
  usage: "[--reference | --request-headers]",
  options: `--reference          phases and reasons instead, as Markdown
    --request-headers    request headers that come off and who would believe them, as Markdown`,
  example:
    "postern schema > policy.schema.json\nThen begin the policy with: # yaml-language-server: $schema=policy.schema.json",
  async run(args, io) {
    const parsed = parseOptions(args, { reference: { type: "boolean" }, "request-headers": { type: "boolean" } });
    if (!parsed.ok) return misuse(schemaCommand, parsed.error, io);
    if (parsed.value.positionals.length > 0) return misuse(schemaCommand, "expected no arguments", io);
    const { values } = parsed.value;
    if (values.reference === true && values["request-headers"] === true) {
      return misuse(schemaCommand, "expected one of --reference and --request-headers", io);
    }
    if (values.reference === true) io.stdout(referenceText());
    else io.stdout(values["request-headers"] === true ? requestHeadersText() : await policyJsonSchemaText());
    return EXIT.fine;
  },
};
