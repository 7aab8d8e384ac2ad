/**
 * Rules of OWASP's set that look for what postern's codec refuses in any request, and the test that shows it. They are not
 * run: a request that they would match has got its 400 before.
 */
export const HELD_BY_CODEC: ReadonlyMap<number, string> = new Map();
