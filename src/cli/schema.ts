import { policyJsonSchemaText } from "../policy/json-schema.ts";
import { referenceText } from "../policy/reference.ts";
import { type Command, EXIT, misuse, parseOptions } from "./command.ts";

export const schemaCommand: Command = {
  name: "schema",
  summary: "Prints the JSON Schema of policies, for editors.",
  usage: "[--reference]",
  options: "--reference   phases and reasons instead, as Markdown",
  example:
    "postern schema > policy.schema.json\nThen begin the policy with: # yaml-language-server: $schema=policy.schema.json",
  async run(args, io) {
    const parsed = parseOptions(args, { reference: { type: "boolean", default: false } });
    if (!parsed.ok) return misuse(schemaCommand, parsed.error, io);
    if (parsed.value.positionals.length > 0) return misuse(schemaCommand, "expected no arguments", io);
    io.stdout(parsed.value.values.reference ? referenceText() : policyJsonSchemaText());
    return EXIT.fine;
  },
};
