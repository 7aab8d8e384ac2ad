import * as z from "zod";
import type { CallProtocol } from "../../../bodies/call-shape.ts";
import { object, sizeBytes } from "../../../support/schema.ts";

const PROTOCOLS = ["grpc", "grpcWeb", "connect"] as const satisfies readonly CallProtocol[];

export interface GrpcSettings {
  readonly file: string;
  readonly method?: string | undefined;
  readonly protocols?: readonly CallProtocol[] | undefined;
  readonly unknownFields?: "refuse" | "strip" | "pass" | undefined;
  readonly maxMessageBytes?: number | undefined;
  readonly compression?: "inflate" | "refuse" | undefined;
  readonly rules?: "enforce" | "ignore" | undefined;
}

/** What the section `grpc` says of all of its methods, too. */
export const grpcShape = {
  protocols: z
    .array(z.enum(PROTOCOLS, { error: "expected grpc, grpcWeb or connect" }))
    .min(1, { error: "expected at least one protocol" })
    .optional()
    .describe("Protocols that clients may speak: grpc, grpcWeb, connect. grpc alone if absent."),
  unknownFields: z
    .enum(["refuse", "strip", "pass"])
    .optional()
    .describe("What becomes of fields that the descriptor does not have. refuse if absent."),
  maxMessageBytes: sizeBytes.optional().describe("Largest message, inflated. 4MiB if absent, as gRPC servers have it."),
  compression: z
    .enum(["inflate", "refuse"])
    .optional()
    .describe(
      "What becomes of compressed messages (gzip, deflate): they are judged and go on inflated (inflate, if absent), or are refused.",
    ),
  rules: z
    .enum(["enforce", "ignore"])
    .optional()
    .describe("Whether the rules of protovalidate (buf.validate) in the descriptor are enforced. enforce if absent."),
};

export const grpcSchema: z.ZodType<GrpcSettings> = object({
  file: z
    .string()
    .min(1)
    .describe(
      "File of descriptors: 'protoc --descriptor_set_out=FILE --include_imports' or 'buf build -o FILE.binpb'.",
    ),
  method: z
    .string()
    .regex(/^[^/]+\/[^/]+$/, { error: "expected a method with its service, as in orders.v1.Orders/Create" })
    .optional()
    .describe("The method, as in orders.v1.Orders/Create. The end of the route's path if absent."),
  ...grpcShape,
}).describe("Bodies are messages of this gRPC method, by its descriptor.");
