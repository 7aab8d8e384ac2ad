import { fromJson, type JsonValue, toBinary } from "@bufbuild/protobuf";
import { createValidator } from "@bufbuild/protovalidate";
import { judgeBinary } from "../../src/protobuf/message-judge.ts";
import { atOnce } from "../../src/support/turns.ts";
import { apiOf, type FieldText, type FileText, fileRegistry, messageIn } from "../fixtures/descriptors.ts";

/** Ids of the rules that a message breaks: ours, and those of protovalidate's own implementation. */
export function judge(text: FileText, json: JsonValue): { ours: readonly string[]; theirs: readonly string[] } {
  const files = fileRegistry(text);
  const schema = messageIn(files, "test.v1.Subject");
  const message = fromJson(schema, json, { registry: files });
  const api = apiOf({ ...text, services: { Service: { Call: "Subject Subject" } } });
  const type = api.services.get("test.v1.Service")?.methods[0]?.input;
  if (type === undefined) throw new Error("no method");
  const found = atOnce(
    judgeBinary(Buffer.from(toBinary(schema, message)), { type, book: api.book, unknownFields: "refuse" }),
  );
  const result = createValidator({ registry: files }).validate(schema, message);
  if (result.kind === "error") throw result.error;
  const violations = result.kind === "invalid" ? result.violations : [];
  return {
    ours: found.faults.list.map(({ keyword }) => keyword).sort(),
    theirs: violations.map(({ ruleId }) => plain(ruleId)).sort(),
  };
}

/** Theirs has an id of its own for an empty text, and for whatever both ends are. */
function plain(id: string): string {
  return id.replace(/^(string|bytes)\.(.*)_empty$/, "$1.$2");
}

export function subject(field: FieldText, more: Partial<FileText> = {}): FileText {
  return { ...more, messages: { ...more.messages, Subject: { field } } };
}
