import { WireWriter } from "../bodies/protobuf/writer.ts";
import type { BodyError, Denial } from "../decision/verdict.ts";
import { DEFAULTS } from "../support/defaults.ts";

/** One for all: what is written is taken out at once. */
const writer = new WireWriter();

export const BAD_REQUEST = "google.rpc.BadRequest";

/** What is wrong with a request, as the bytes of a google.rpc.BadRequest; null where there is nothing to tell of its parts. */
export function badRequestOf({ body: { errors } }: Denial): Buffer | null {
  if (errors.length === 0) return null;
  const violations: Buffer[] = [];
  let bytes = 0;
  for (const error of errors) {
    writer.text(2, error.detail);
    writer.text(1, fieldPath(error));
    writer.message(1, 0);
    const violation = writer.take();
    bytes += violation.length;
    if (bytes > DEFAULTS.statusDetailsBytesMax) break;
    violations.push(violation);
  }
  return Buffer.concat(violations);
}

/** The value of grpc-status-details-bin: a google.rpc.Status with these details. */
export function statusDetails(code: number, message: string, badRequest: Buffer): string {
  writer.bytes(2, badRequest);
  writer.text(1, `type.googleapis.com/${BAD_REQUEST}`);
  writer.message(3, 0);
  writer.text(2, message);
  writer.varint(1, code);
  return base64(writer.take());
}

/** Without padding, as headers of gRPC and details of Connect have it. */
export function base64(bytes: Buffer): string {
  return bytes.toString("base64").replace(/=+$/, "");
}

/** `/items/0/name` → `items[0].name`. */
function fieldPath({ name, pointer }: BodyError): string {
  const steps = pointer
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
  let path = name ?? "";
  for (const step of steps)
    path += /^\d+$/.test(step) && path !== "" ? `[${step}]` : `${path === "" ? "" : "."}${step}`;
  return path;
}
