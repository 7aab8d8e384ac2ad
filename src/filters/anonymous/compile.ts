import { defineAuthenticator } from "../filter.ts";
import { anonymousAuthenticator } from "./evaluate.ts";
import { type AnonymousSettings, anonymousSchema } from "./schema.ts";

export const anonymousKind = defineAuthenticator<AnonymousSettings>({
  type: "anonymous",
  schema: anonymousSchema,
  compile: (name, { scopes }, context) => anonymousAuthenticator(name, scopes, context.place()),
});
