import * as z from "zod";
import { DEFAULTS } from "../../support/defaults.ts";
import { durationMs, mode, object, sizeBytes } from "../../support/schema.ts";
import { originOrAny } from "../origin.ts";

const error = "expected true, or { origins: [https://app.example.org], maxFrame: 1MiB, maxLifetime: 8h, mode: audit }";

/** A route with this takes WebSocket handshakes; without it every upgrade is refused. */
export const webSocketSchema = z
  .union(
    [
      z.literal(true),
      object({
        origins: z
          .array(originOrAny)
          .min(1)
          .max(DEFAULTS.websocketOriginsMax)
          .optional()
          .describe("Origins whose pages may open one; * for any. If absent, pages of the host that is asked."),
        maxFrame: sizeBytes
          .refine((bytes) => bytes >= 125 && bytes <= DEFAULTS.websocketFrameBytesCeiling, {
            error: "expected 125B to 1GiB",
          })
          .optional()
          .describe("Largest payload of a frame, either way. 16MiB if absent."),
        maxLifetime: durationMs
          .refine((ms) => ms > 0, { error: "expected a time of more than 0" })
          .optional()
          .describe("After this time a WebSocket is closed. Unlimited if absent."),
        mode: mode.optional(),
      }),
    ],
    { error },
  )
  .describe("Lets WebSockets through; without it every upgrade is refused.");

export type WebSocketSettings = z.output<typeof webSocketSchema>;
