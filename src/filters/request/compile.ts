import { METHOD_PARAMETERS } from "../../bodies/method-parameters.ts";
import type { HeaderLine } from "../../decision/verdict.ts";
import { defineFilter } from "../filter.ts";
import { isReserved } from "./reserved-headers.ts";
import { type RequestSettings, requestSchema } from "./schema.ts";

/** `request`: which headers leave a request on its way to the service, and which are put on. */
export const requestFilter = defineFilter<RequestSettings | undefined>({
  name: "request",
  defaults: "override",
  schema: requestSchema.optional(),
  always: true,
  compile(settings, context) {
    const setHeaders: HeaderLine[] = [];
    const seen = new Set<string>();
    for (const [name, value] of Object.entries(settings?.setHeaders ?? {})) {
      const lower = name.toLowerCase();
      if (isReserved(lower))
        context.problem(`postern writes '${name}' itself; expected another name`, "setHeaders", name);
      else if (seen.has(lower)) context.problem(`'${name}' is set twice; expected one spelling`, "setHeaders", name);
      else setHeaders.push([lower, value]);
      seen.add(lower);
    }
    context.setRequestRules({
      keepCredentials: settings?.keepCredentials ?? false,
      removeHeaders: settings?.removeHeaders ?? [],
      setHeaders,
      methodParameters: settings?.methodParameters ?? METHOD_PARAMETERS,
    });
  },
});
