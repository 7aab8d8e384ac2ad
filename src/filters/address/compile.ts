import { type CidrProblem, cidrTable } from "../../matching/cidr-table.ts";
import type { Steps } from "../../support/turns.ts";
import { type AddressList, compileListFiles } from "../address-list.ts";
import { defineFilter, type RouteContext } from "../filter.ts";
import { AddressCheck } from "./evaluate.ts";
import { OriginCheck } from "./origin.ts";
import { type AddressSettings, addressSchema } from "./schema.ts";

/** `address`: who may send requests at all, before anything is spent on them. */
export const addressFilter = defineFilter<AddressSettings>({
  name: "address",
  defaults: "add",
  schema: addressSchema,
  *compile(settings, context) {
    const hasLists = [settings.allow, settings.allowFile, settings.deny, settings.denyFile].some(
      (list) => list !== undefined,
    );
    const hasOrigins = settings.countries !== undefined || settings.networks !== undefined;
    if (!hasLists && !hasOrigins) {
      context.problem(
        "no list of addresses; expected 'allow', 'allowFile', 'deny', 'denyFile', 'countries' or 'networks'",
      );
      return;
    }
    const allow = yield* compileLists(context, settings, "allow");
    const deny = yield* compileLists(context, settings, "deny");
    const except = yield* compileLists(context, settings, "except");
    // A list that could not be read must not become one that is not there.
    if (allow === undefined || deny === undefined || except === undefined) return;
    addOriginChecks(settings, except ?? [], context);
    if (!hasLists) return;
    if (except !== null && deny === null && !hasOrigins)
      context.warning("no_effect", "nothing is denied that this could except", "except");
    context.addCheck(
      new AddressCheck({ allow, deny: deny ?? [], except: except ?? [] }, context.place(), settings.mode ?? 100),
    );
  },
});

function addOriginChecks(settings: AddressSettings, except: readonly AddressList[], context: RouteContext): void {
  for (const kind of ["countries", "networks"] as const) {
    const rules = settings[kind];
    if (rules === undefined) continue;
    if (rules.deny === undefined && rules.allow === undefined) {
      context.problem("no list; expected 'deny' or 'allow'", kind);
    } else if (context.geo === null || !context.geo.knows(kind)) {
      context.problem(`the policy has no database for it; expected a file in 'geo: { ${kind}: … }'`, kind);
    } else {
      const allow = rules.allow === undefined ? null : new Set(rules.allow);
      const origin = { kind, deny: new Set(rules.deny ?? []), allow, except };
      context.addCheck(new OriginCheck(origin, context.geo, context.place(kind), settings.mode ?? 100));
    }
  }
}

/** The list under `key` and those of its files; null where there is neither, undefined where a problem was reported. */
function* compileLists(
  context: RouteContext,
  settings: AddressSettings,
  key: "allow" | "deny" | "except",
): Steps<readonly AddressList[] | null | undefined> {
  const inline = settings[key];
  const files = settings[`${key}File`];
  if (inline === undefined && files === undefined) return null;
  const own = inline === undefined ? [] : yield* compileInline(context, inline, key);
  const options = { path: [`${key}File`], cutsHostBits: key === "deny" };
  const read = files === undefined ? [] : yield* compileListFiles(context, files, options);
  return own === null || read === null ? undefined : [...own, ...read];
}

/** In the policy itself somebody is there to say what was meant: nothing is left out, no bits are cut off. */
function* compileInline(context: RouteContext, inline: readonly string[], key: string): Steps<AddressList[] | null> {
  let problems: readonly CidrProblem[] = [];
  const table = yield* context.keep(`address ${key}`, [inline.join("\n")], function* () {
    const built = yield* cidrTable(inline);
    if (!built.ok) problems = built.error;
    return built.ok ? built.value : null;
  });
  for (const { text, index } of problems) context.problem(text, key, index);
  return table === null ? null : [{ name: key, table }];
}
