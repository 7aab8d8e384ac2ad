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
  searchSliceSteps: 10_000,
  /** The same where it is asked what groups hold, some 50 ns each. */
  captureSliceSteps: 1_000,

  /** Exclusions of one list, and names in one of them. */
  detectExclusionsMax: 256,
  /** Files and folders that one detector names. */
  detectRuleNamesMax: 64,
  /** Files of rules and their data, in number and in bytes together. */
  detectFilesMax: 512,
  detectFilesBytesMax: 32 * 1024 ** 2,
  /** How long patterns are made at a stretch while requests are served. */
  rulesSliceMs: 2,
  detectThreshold: 5,
  detectAnswerThreshold: 4,
  /** Of values searched in one request, before they are transformed. */
  detectSearchBytesMax: 256 * 1024,
  /** Runs of patterns for one request. */
  detectPatternsMax: 20_000,
  /** Instructions of patterns beyond their tables for one request, some 10 ns each. */
  detectStepsMax: 10_000_000,
  /** Of one answer that is searched; what is longer is searched up to there. */
  detectAnswerBytesMax: 512 * 1024,
  /** Values of one request: arguments, headers, cookies, fields. */
  detectValuesMax: 4_096,
  /** Places of a body's schema of which rules know before a body comes what cannot match there. */
  detectPlacesMax: 512,
  /** Kinds of values, of all contracts, of which a detector remembers that. */
  detectShapesMax: 4_096,
  /** Of one field of a multipart body that is searched. */
  detectFieldBytesMax: 128 * 1024,
  /** Of fields and file names of a multipart body together. */
  detectPartsBytesMax: 1024 * 1024,
  /** Fields of routes whose alarms `postern alarms` keeps, and clients of each that it tells apart. */
  alarmFieldsMax: 10_000,
  alarmClientsMax: 1_000,
  /** Hits of one request that the log names. */
  detectNotedMax: 20,
  /** Rules that the log names of one request by their ids alone. */
  detectRulesNotedMax: 100,
  /** Of what matched, shown with all but its edges masked. */
  detectMatchCharactersMax: 100,
} as const;
