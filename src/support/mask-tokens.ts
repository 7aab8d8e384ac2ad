/** Stands in place of what is not shown. */
export const REDACTED = "~redacted~";

/** What tokens are made of; a `/` ends a run, so that of a path each segment is looked at by itself. */
const RUN = /[\w\-.~+=%]{12,}/g;
const HAS_RUN = /[\w\-.~+=%]{12}/;
const UUID = /^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$/;
/** How credentials of well-known makers begin. */
const PREFIX =
  /^(?:eyJ|(?:sk|pk|rk)[_-]|gh[opsur]_|github_pat_|glpat-|xox[a-z]-|AKIA|ASIA|AIza|ya29\.|npm_|hvs\.|SG\.|dop_v1_)/;
const PIECE_CHARS_MIN = 16;
const WHOLE_CHARS_MIN = 20;

/** A path of short segments, numbers and UUIDs, as nearly all are: none of these is masked. */
const USUAL_PATH = /^(?:\/(?:[^/]{0,11}|\d+|[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}))*$/;

/** Text in which whatever looks like a token, a key or a hash is masked. UUIDs, numbers and words stay. */
export function maskTokens(text: string): string {
  if (!HAS_RUN.test(text) || USUAL_PATH.test(text)) return text;
  return text.replace(RUN, (run) => (looksLikeToken(run) ? REDACTED : run));
}

/** Text in which credentials of well-known makers alone are masked: a name, whose letters and digits may look like a token's. */
export function maskCredentials(text: string): string {
  return text.replace(RUN, (run) => (PREFIX.test(run) ? REDACTED : run));
}

/** A run with digits among letters that is too long for a word, and in no form that ids have. */
function looksLikeToken(run: string): boolean {
  if (run === REDACTED || UUID.test(run)) return false;
  if (PREFIX.test(run)) return true;
  const letters = run.replace(/[^0-9A-Za-z]/g, "");
  const isMixed = /[a-z]/.test(letters) && /[A-Z]/.test(letters);
  if (letters.length >= WHOLE_CHARS_MIN && isMixed && /\d/.test(letters)) return true;
  return run.split(/[^0-9A-Za-z]/).some((piece) => piece.length >= PIECE_CHARS_MIN && isTokenPiece(piece));
}

function isTokenPiece(piece: string): boolean {
  if (!/[A-Za-z]/.test(piece)) return false;
  return /\d/.test(piece) || (piece.length >= WHOLE_CHARS_MIN && /[a-z][A-Z].*[a-z][A-Z].*[a-z][A-Z]/.test(piece));
}
