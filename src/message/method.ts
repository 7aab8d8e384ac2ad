/**
 * What a route without `methods` takes, and what TRACE and the like are told to use. Other methods do what their names
 * say only to services that know them (WebDAV's `COPY` writes a second path, caches drop pages by `PURGE`), so that a
 * route takes them by name or not at all.
 */
export const USUAL_METHODS: readonly string[] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
