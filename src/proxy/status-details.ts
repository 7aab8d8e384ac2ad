import { WireWriter } from "../bodies/protobuf/writer.ts";
import type { BodyError, Denial } from "../decision/verdict.ts";
import { DEFAULTS } from "../support/defaults.ts";

export const BAD_REQUEST = "google.rpc.BadRequest";

/** What is wrong with a request, as the bytes of a google.rpc.BadRequest; null where there is nothing to tell of its parts. */
export function badRequestOf({ body: { errors } }: Denial): Buffer | null {
  if (errors.length === 0) return null;
  const request = new WireWriter();
  for (const error of errors) {
    const violation = new WireWriter().text(1, fieldPath(error)).text(2, error.detail).finish();
    if (request.bytes + violation.length > DEFAULTS.statusDetailsBytesMax) break;
    request.message(1, violation);
  }
  return request.finish();
}

/** The value of grpc-status-details-bin: a google.rpc.Status with these details. */
export function statusDetails(code: number, message: string, badRequest: Buffer): string {
  const any = new WireWriter().text(1, `type.googleapis.com/${BAD_REQUEST}`).message(2, badRequest).finish();
  return base64(new WireWriter().varint(1, code).text(2, message).message(3, any).finish());
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
