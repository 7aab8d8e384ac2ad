/** 32 bits of a text and a random seed, so that nobody can choose texts that are taken for one. */
export function hashText(seed: number, text: string): number {
  let hash = seed;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x5bd1e995) ^ (hash >>> 13);
  return mixed(hash ^ text.length);
}

/** The same of a number of 32 bits. */
export function hashNumber(seed: number, number: number): number {
  return mixed(mixed(seed ^ number) + Math.imul(number, 0x9e3779b1));
}

/** The last steps of MurmurHash3. */
function mixed(hash: number): number {
  let bits = hash;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
