/**
 * Rules of OWASP's set that look for what postern's codec refuses in any request, and the test that shows it. They do not
 * run: a request that they would match has got its 400 before.
 */
export const HELD_BY_CODEC: ReadonlyMap<number, string> = new Map([
  [920160, "test/http1/head.test.ts: signed, negative, hexadecimal and empty lengths, lists of them"],
  [920181, "test/http1/head.test.ts: length beside chunked, chunked beside length"],
  [920610, "test/message/target.test.ts: a fragment"],
]);
