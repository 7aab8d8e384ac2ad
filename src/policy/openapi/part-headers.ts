import type { Description } from "../../openapi/description.ts";
import type { DescribedParameter, SchemaReference } from "../../openapi/operation.ts";
import { headerName } from "../../support/schema.ts";
import type { Settings } from "./form-fields.ts";
import type { Loose } from "./lowering.ts";
import { lowerParameter } from "./parameters.ts";

/** `headers` of an encoding in the words of `validate`, by name; beside others there are none. */
export function partHeaders(headers: readonly DescribedParameter[], { library }: Description, loose: Loose): Settings {
  const nameOf = ({ document, pointer }: SchemaReference): string => `${document.file}#${pointer}`;
  const lowered = headers.flatMap((header) => {
    const { settings, loose: told } = lowerParameter(header, library, nameOf);
    for (const what of told) loose(what.replace("of parameters", "of headers"), header.place);
    const name = headerName.safeParse(header.name);
    return settings === null || !name.success ? [] : [[name.data, settings] as const];
  });
  return lowered.length === 0 ? {} : { headers: Object.fromEntries(lowered) };
}
