import { defineAuthenticator } from "../filter.ts";
import { certificateAuthenticator } from "./evaluate.ts";
import { identityRules } from "./rules.ts";
import { type ClientCertificateSettings, clientCertificateSchema } from "./schema.ts";

export const clientCertificateKind = defineAuthenticator<ClientCertificateSettings>({
  type: "client-certificate",
  schema: clientCertificateSchema,
  compile: (name, settings, context) =>
    certificateAuthenticator({
      name,
      service: context.service,
      clock: context.clock,
      place: context.place(),
      rules: identityRules(settings, context),
    }),
});
