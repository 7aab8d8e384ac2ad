/**
 * What a route without `methods` takes, and what TRACE and the like are told to use. Other methods do what their names
 * say only to services that know them (WebDAV's `COPY` writes a second path, caches drop pages by `PURGE`), so that a
 * route takes them by name or not at all.
 */
export const USUAL_METHODS: readonly string[] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/** Methods that nobody has given a body, which a route may keep because its service reads it. */
export const STRAY_BODY_METHODS = ["GET", "HEAD", "OPTIONS"] as const;

/** Methods whose body nobody has defined and some servers leave unread, as the next request (CL.0, TE.0). */
export const WITHOUT_BODY: ReadonlySet<string> = new Set([...STRAY_BODY_METHODS, "TRACE", "CONNECT"]);

/** Whether a request of `method` has no reading with a body, whatever the route says: nobody has a route for it. */
export function neverHasBody(method: string): boolean {
  return method === "TRACE" || method === "CONNECT";
}
