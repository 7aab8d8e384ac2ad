import type { StoreHost } from "../../limits/redis/link.ts";
import { err, ok, type Result } from "../../support/result.ts";

export interface StoreUrl extends StoreHost {
  readonly isSecure: boolean;
  /** Null where the URL names none. */
  readonly database: number | null;
}

const EXPECTED = "expected rediss://host:6379, or redis://host:6379/3 for database 3";

/** `rediss://host:6379/0`. A secret in it would stand in the policy: credentials have keys of their own. */
export function parseStoreUrl(text: string): Result<StoreUrl, string> {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^rediss?:$/.test(url.protocol)) return err(EXPECTED);
  if (url.username !== "" || url.password !== "")
    return err("credentials stand in 'username' and 'password', not in the URL");
  const database = /^\/?(\d{0,4})$/.exec(url.pathname)?.[1];
  if (url.hostname === "" || database === undefined || url.search !== "" || url.hash !== "") return err(EXPECTED);
  return ok({
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? 6379 : Number(url.port),
    isSecure: url.protocol === "rediss:",
    database: database === "" ? null : Number(database),
  });
}
