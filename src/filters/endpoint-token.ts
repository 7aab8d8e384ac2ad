import { dirname, isAbsolute, join } from "node:path";
import type { ResourceWorld } from "../resources/resource.ts";
import { ok, type Result } from "../support/result.ts";
import { type SecretReference, withoutLineEnd } from "../support/secret.ts";
import type { CompileContext } from "./filter.ts";

/** A token for an endpoint itself, read anew for each call; an error in words. Null: the endpoint asks for none. */
export type EndpointToken = (() => Result<string, string>) | null;

/** A token in a file is renewed by somebody else; one of the environment stays what it is. `path` is its key. */
export function endpointToken(
  reference: SecretReference | undefined,
  context: CompileContext,
  ...path: readonly string[]
): (world: ResourceWorld) => EndpointToken {
  if (reference === undefined) return () => null;
  if ("env" in reference) {
    const secret = context.secret(reference, ...path);
    return () => () => ok(secret?.toString("latin1") ?? "");
  }
  const { file } = reference;
  const absolute = isAbsolute(file) ? file : join(dirname(context.place().file), file);
  return (world) => () => {
    const content = world.readFile(absolute);
    return content.ok ? ok(withoutLineEnd(content.value).toString("latin1")) : content;
  };
}
