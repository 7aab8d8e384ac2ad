/**
 * The smallest text that delta debugging finds for which `fails` still holds: ever smaller parts are left out for as long
 * as the fault stays. At most `triesMax` questions.
 */
export async function minimise(
  bytes: string,
  fails: (bytes: string) => Promise<boolean>,
  triesMax = 2_000,
): Promise<string> {
  let best = bytes;
  let tries = 0;
  for (let size = Math.ceil(best.length / 2); size >= 1; ) {
    let shrunk = false;
    for (let at = 0; at < best.length && tries < triesMax; ) {
      const candidate = best.slice(0, at) + best.slice(at + size);
      tries++;
      if (await fails(candidate)) {
        best = candidate;
        shrunk = true;
      } else at += size;
    }
    if (tries >= triesMax) break;
    if (size === 1 && !shrunk) break;
    size = size === 1 ? 1 : Math.ceil(size / 2);
  }
  return best;
}
