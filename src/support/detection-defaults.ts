/** Of searching texts for attacks: the part of `DEFAULTS` about `detection`. */
export const DETECTION_DEFAULTS = {
  /** Longest pattern of a rule; the longest of the OWASP rules has some 10,000. */
  searchPatternBytesMax: 64 * 1024,
  /** Instructions that a pattern with its counts written out may be. */
  searchPatternStepsMax: 100_000,
  /** Cells of one pattern's table of states. */
  searchTableCellsMax: 64 * 1024,
  /** Cells of all tables of a set of rules, four bytes each; what was not used for longest goes. */
  searchCellsMax: 4 * 1024 * 1024,
  /** Alphabets of which a set of rules keeps which patterns they can match. */
  searchAlphabetsMax: 128,
  /** Instructions that one slice of a long text takes, some 10 ns each. */
  searchSliceSteps: 50_000,
} as const;
