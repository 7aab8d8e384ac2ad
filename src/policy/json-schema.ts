import * as z from "zod";
import { REGISTRY, type Registry } from "../filters/index.ts";
import { planSchema } from "../filters/limit/plan-schema.ts";
import { overloadSchema } from "../filters/overload/schema.ts";
import { requestIdSchema } from "../filters/request-id/schema.ts";
import { versionsSchema } from "../filters/versions/schema.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { object } from "../support/schema.ts";
import { anomaliesSchema } from "./anomalies-schema.ts";
import { grpcSectionShape } from "./grpc/section.ts";
import { inventorySchema } from "./inventory-schema.ts";
import { JOINED_LISTS, JOINED_MAPPINGS } from "./joined.ts";
import { candidateSchema, guardShape, ladderShape } from "./ladder-schema.ts";
import { logShape } from "./log-schema.ts";
import { openapiShape } from "./openapi/section.ts";
import { decisionsSchema, recordShape } from "./record-schema.ts";
import {
  ANCHORS_PREFIX,
  adminShape,
  defaultsShape,
  limitHeadersShape,
  listenerShape,
  memoryShape,
  metricsShape,
  nameSchema,
  routeShape,
  stateShape,
  upstreamShape,
  versionSchema,
} from "./schema.ts";
import { geoShape, identityShape, includeSchema, resourceMetadataShape, revokedSchema } from "./section-schema.ts";
import { fixturesSchema } from "./tests/fixtures.ts";
import { testsSchema } from "./tests/section.ts";
import { tracingSchema } from "./tracing-schema.ts";

/**
 * The JSON Schema (2020-12) of a policy as its author writes it, for editors. It is made from the definitions that the
 * compiler reads policies by, so the two cannot part; what only the compiler can see, as a name that nothing defines,
 * is not in it.
 */
export async function policyJsonSchema(registry: Registry = REGISTRY): Promise<Record<string, unknown>> {
  const { filters, authenticators, limits, limitStore, bans } = registry;
  for (const part of [...filters, ...authenticators, ...limits, limitStore, bans]) await part.prepare?.();
  for (const { parts = {} } of filters) for (const load of Object.values(parts)) await load();
  const { $schema, ...schema } = z.toJSONSchema(policySchema(registry), {
    target: "draft-2020-12",
    io: "input",
    reused: "inline",
    unrepresentable: "any",
  });
  return {
    $schema,
    title: "postern policy",
    description: "What a postern sidecar lets through to the service behind it, and to whom.",
    ...schema,
    patternProperties: {
      [`^${ANCHORS_PREFIX}`]: {
        description: "Means nothing by itself: for anchors (&name) that aliases (*name) refer to.",
      },
    },
  };
}

/** As a file of the repository: `policies/policy.schema.json`. */
export async function policyJsonSchemaText(registry: Registry = REGISTRY): Promise<string> {
  return `${JSON.stringify(await policyJsonSchema(registry), null, 2)}\n`;
}

export async function includedJsonSchemaText(): Promise<string> {
  return `${JSON.stringify(includedJsonSchema(await policyJsonSchema()), null, 2)}\n`;
}

/** That of a file of `include`: the same sections, as far as they may stand there, none of them needed. */
export function includedJsonSchema(whole: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { properties, required: _, ...schema } = whole;
  const names: readonly string[] = ["version", ...JOINED_LISTS, ...JOINED_MAPPINGS];
  const own = Object.entries(properties ?? {}).filter(([name]) => names.includes(name));
  return { ...schema, title: "part of a postern policy", properties: Object.fromEntries(own) };
}

function policySchema({
  filters,
  authenticators,
  limits,
  limitStore,
  bans,
  role,
  decisionService,
  detector,
}: Registry): z.ZodType {
  const settings: Record<string, z.ZodType> = {};
  for (const filter of filters) settings[filter.name] = filter.schema.optional().meta({ id: filter.name });
  const authenticator = z.union(authenticators.map((kind) => kind.schema));
  return object({
    version: versionSchema.describe("Version of the policy language."),
    service: nameSchema.describe("Name of the service behind postern, for logs, metrics and challenges."),
    include: includeSchema.optional(),
    listeners: z.array(object(listenerShape)).min(1).describe("Where clients connect."),
    upstreams: z.record(nameSchema, object(upstreamShape)).describe("The service, and others that routes may name."),
    admin: object(adminShape).optional().describe("Port for metrics and health. None if absent."),
    metrics: object(metricsShape).optional().describe("Port for metrics alone. None if absent."),
    memory: object(memoryShape).optional().describe("What clients may make the process hold."),
    state: object(stateShape)
      .optional()
      .describe("What survives a restart. Everything is kept in memory alone if absent."),
    log: object(logShape).optional().describe("What is logged."),
    authenticators: z.record(nameSchema, authenticator).optional().describe("Ways to know who asks; routes name them."),
    roles: z
      .record(nameSchema, role.schema.meta({ id: "role" }))
      .optional()
      .describe("Roles: name → the rule that a caller in it meets. 'authorize.roles' names them."),
    identity: object(identityShape).optional().describe("What the service gets to know of the caller."),
    resourceMetadata: z
      .union([
        object(resourceMetadataShape),
        z.array(object(resourceMetadataShape)).min(1).max(DEFAULTS.protectedResourcesMax),
      ])
      .optional()
      .describe(
        "Who gives tokens for the service, as a public page for its clients (RFC 9728) that challenges lead to. A list where the service is several resources, whose paths say which routes are whose. None if absent.",
      ),
    decisionServices: z
      .record(nameSchema, decisionService.schema)
      .optional()
      .describe("Services that decide about requests; 'decide' of a route names them."),
    detectors: z
      .record(nameSchema, detector.schema)
      .optional()
      .describe("Sets of rules that look for attacks; 'detect' of routes names them."),
    limits: z
      .record(nameSchema, z.union(limits.map((kind) => kind.schema)))
      .optional()
      .describe("Limits; routes name them."),
    plans: z
      .record(nameSchema, planSchema)
      .optional()
      .describe("Named sets of limits; 'limit: { plan: … }' of a route says who has which."),
    limitHeaders: object(limitHeadersShape)
      .optional()
      .describe("Which fields of answers tell clients of their limits."),
    stores: z
      .record(nameSchema, limitStore.schema)
      .optional()
      .describe("Stores that limits of several processes count in; 'store' of a limit names one."),
    bans: z.record(nameSchema, bans.schema).optional().describe("Who is refused too often is not heard for a while."),
    overload: overloadSchema
      .optional()
      .describe(
        "When requests are shed because there is too much to do; 'priority' of routes says which first. Never if absent.",
      ),
    ladder: object(ladderShape).optional().describe("Which callers are in a share, as of 'mode: { enforce: 5% }'."),
    candidate: candidateSchema.optional(),
    guard: object(guardShape)
      .optional()
      .describe("When this policy gives way to the one before it, in the first while after it came into force."),
    requestId: requestIdSchema.optional(),
    geo: object(geoShape)
      .optional()
      .describe("Where addresses are and whose, for 'address.countries', 'address.networks' and attributes."),
    revoked: revokedSchema.optional(),
    versions: versionsSchema.optional(),
    decisions: decisionsSchema.optional(),
    record: object(recordShape)
      .optional()
      .describe(
        "Has decisions written into the state folder, without secrets, for 'postern replay'. They are not if absent.",
      ),
    inventory: inventorySchema.optional(),
    anomalies: anomaliesSchema.optional(),
    tracing: tracingSchema.optional(),
    defaults: object({ ...defaultsShape, ...settings })
      .optional()
      .describe("What every route starts from."),
    openapi: z
      .array(object(openapiShape))
      .optional()
      .describe("Descriptions of the API (OpenAPI) whose operations are routes, beside those of 'routes'."),
    grpc: z
      .array(object(grpcSectionShape))
      .optional()
      .describe("Files of descriptors (gRPC) whose methods are routes, beside those of 'routes'."),
    routes: z
      .array(object({ ...routeShape, ...settings }))
      .min(1)
      .optional()
      .describe("What may be asked for, and by whom; all else is denied. The most specific path wins, not the first."),
    tests: testsSchema.optional(),
    fixtures: fixturesSchema.optional(),
  });
}
