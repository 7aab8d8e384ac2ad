import * as z from "zod";
import { grpcShape as callShape } from "../../filters/validate/grpc/schema.ts";
import { routeVersion } from "../../filters/versions/schema.ts";
import { fileName } from "../certificate-schema.ts";

const authenticatorNames = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)], {
  error: "expected the name of an authenticator, or a list of names of which any will do",
});

/** One entry of `grpc`: a file of descriptors whose methods are routes. */
export const grpcSectionShape = {
  file: fileName.describe(
    "File of descriptors: 'protoc --descriptor_set_out=FILE --include_imports' or 'buf build -o FILE.binpb'.",
  ),
  version: routeVersion
    .optional()
    .describe("Which version of the API it describes, or which, as 'version' of a route. Any if absent."),
  services: z
    .array(z.string().min(1))
    .min(1, { error: "expected at least one service" })
    .optional()
    .describe("Services whose methods are routes, as in orders.v1.Orders. All of the file if absent."),
  authenticate: authenticatorNames
    .optional()
    .describe("Authenticators of which any will do, for all methods. What 'defaults' says if absent."),
  public: z.boolean().optional().describe("true: the methods are open to everybody."),
  upstream: z.string().min(1).optional().describe("Where the calls go. The listener's own if absent."),
  undeclared: z
    .enum(["refuse", "audit", "ignore"])
    .optional()
    .describe(
      "What becomes of calls of methods that a service does not have: refuse (404, if absent), audit (they pass and are told), ignore (other routes may take them).",
    ),
  methods: z
    .record(z.string(), z.record(z.string(), z.unknown()))
    .optional()
    .describe(
      "By method, as in orders.v1.Orders/Create, or by service: keys of a route that are added, or stand in place of the section's.",
    ),
  ...callShape,
};
