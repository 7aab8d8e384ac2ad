import * as z from "zod";
import { DEFAULTS } from "../../support/defaults.ts";
import { object } from "../../support/schema.ts";

export interface QuerySettings {
  readonly set?: Readonly<Record<string, string>> | undefined;
  readonly remove?: readonly string[] | undefined;
  readonly rename?: Readonly<Record<string, string>> | undefined;
}

export interface RewriteSettings {
  readonly path?: string | undefined;
  readonly prefix?: { readonly from: string; readonly to: string } | undefined;
  readonly query?: QuerySettings | undefined;
  readonly host?: string | undefined;
}

const path = z.string().max(DEFAULTS.templateLengthMax).regex(/^\//, { error: "expected a path, as in /internal" });

/** What every service takes for the same name. */
const parameter = z
  .string()
  .regex(/^[A-Za-z0-9][\w-]{0,63}$/, { error: "expected a parameter of letters, digits, _ and -, as in page" });

const value = z
  .string()
  .max(1024)
  .regex(/^[\x20-\x7e]*$/, { error: "expected visible ASCII, and {attribute} for what is filled in" });

const LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?";
const HOST = new RegExp(String.raw`^(?:${LABEL}(?:\.${LABEL})*|\[[0-9a-f:.]+\])(?::[1-9]\d{0,4})?$`);

export const rewriteSchema: z.ZodType<RewriteSettings> = object(
  {
    path: path
      .optional()
      .describe(
        "The path that the service gets, with {parameters} of the route's path and {attributes}: /internal/orders/{id}; ** at its end is what ** of the route's path is.",
      ),
    prefix: object({
      from: path.describe("Segments with which the route's path begins, as in /v1."),
      to: path.describe("What the service gets in their place, as in /."),
    })
      .optional()
      .describe("In place of 'path': other segments at its beginning."),
    query: object({
      set: z
        .record(parameter, value)
        .optional()
        .describe("Parameters that are put on, with {attributes}, in place of the client's."),
      remove: z.array(parameter).max(64).optional().describe("Parameters that come off."),
      rename: z
        .record(parameter, parameter)
        .optional()
        .describe("Name of the client's parameter → name that the service gets it under."),
    })
      .optional()
      .describe("Parameters of the query."),
    host: z
      .string()
      .max(260)
      .regex(HOST, {
        error: "expected a host in lower case, with its port where it has one, as in orders.internal:8080",
      })
      .optional()
      .describe("Host that the service is asked by. The client's if absent; X-Forwarded-Host tells that in any case."),
  },
  "{ path: /internal/orders } or { prefix: { from: /v1, to: / } }",
).describe("What of the target the service gets in another form. What is judged is the client's.");
