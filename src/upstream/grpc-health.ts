import { FRAME_PREFIX_BYTES } from "../bodies/message-frames.ts";
import { RawMessage } from "../bodies/protobuf/raw-message.ts";
import { WireWriter } from "../bodies/protobuf/writer.ts";
import type { HeaderBlock } from "../message/headers.ts";

/** The health checking protocol of gRPC, https://github.com/grpc/grpc/blob/master/doc/health-checking.md */
export const HEALTH_METHOD = "/grpc.health.v1.Health/Check";

const STATUS_NAMES = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];
const SERVING = 1;

/** `HealthCheckRequest` as one message of a call; an empty name asks for the server as a whole. */
export function healthRequest(service: string): Buffer {
  const writer = new WireWriter();
  if (service !== "") writer.text(1, service);
  const message = writer.take();
  const prefix = Buffer.alloc(FRAME_PREFIX_BYTES);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** What is wrong with an answer; null for one that says SERVING. */
export function answerFault(
  status: number,
  headers: HeaderBlock,
  trailers: HeaderBlock | null,
  body: Buffer,
): string | null {
  if (status !== 200) return `status ${status}`;
  const code = trailers?.get("grpc-status") ?? headers.get("grpc-status") ?? "none";
  if (code === "5") return "grpc-status 5: it does not know a service of that name";
  if (code === "12") return "grpc-status 12: it has no grpc.health.v1.Health";
  if (code !== "0") return `grpc-status ${/^\d{1,2}$/.test(code) ? code : "none"}`;
  if (body.length < FRAME_PREFIX_BYTES || body[0] !== 0) return "no message, or a compressed one";
  const message = RawMessage.read(body.subarray(FRAME_PREFIX_BYTES));
  if (message === null) return "no HealthCheckResponse";
  const serving = message.uint(1) ?? 0;
  return serving === SERVING ? null : (STATUS_NAMES[serving] ?? `status ${serving}`);
}
