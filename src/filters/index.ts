import type { z } from "zod";
import type { BanBook } from "../limits/bans/ban-book.ts";
import type { Steps } from "../support/turns.ts";
import type { AuthorizeRule } from "./authorize/schema.ts";
import type { BanFacts } from "./bans/ban-facts.ts";
import type { Bans } from "./bans/evaluate.ts";
import type { BanSettings } from "./bans/schema.ts";
import type { DecideSettings, DecisionServiceSettings } from "./decide/schema.ts";
import type { DetectorSettings, DetectSettings } from "./detect/schema.ts";
import type {
  AuthenticatorKind,
  CompileContext,
  DecisionService,
  Detector,
  Filter,
  LimitKind,
  LimitStoreUse,
} from "./filter.ts";
import { Later, lazyFilter, lazyKind } from "./lazy.ts";
import { LIMIT_KINDS } from "./limit/kinds.ts";
import type { StoreSettings } from "./limit-store/schema.ts";
import { priorityFilter } from "./overload/compile.ts";
import { requestFilter } from "./request/compile.ts";
import { responseFilter } from "./response/compile.ts";

/** The protections that a policy can name. */
export interface Registry {
  /** In the order in which checks of one phase run. */
  readonly filters: readonly Filter<unknown>[];
  readonly authenticators: readonly AuthenticatorKind<unknown>[];
  /** Kinds of limits; an entry of `limits` has the word of one of them. */
  readonly limits: readonly LimitKind<unknown>[];
  readonly limitStore: LimitStoreKind<unknown>;
  readonly bans: BanKind<unknown>;
  /** An entry of `roles`: a rule that routes name. Loaded with `authorize`. */
  readonly role: { readonly schema: z.ZodType<AuthorizeRule> };
  readonly decisionService: DecisionServiceKind<unknown>;
  readonly detector: DetectorKind<unknown>;
}

/** What an entry of `stores` is made of. */
export interface LimitStoreKind<Settings> {
  readonly schema: z.ZodType<Settings>;
  prepare(): Promise<void> | undefined;
  compile(name: string, settings: Settings, context: CompileContext): LimitStoreUse | null;
}

/** What an entry of `bans` is made of, and what all of them are together. */
export interface BanKind<Settings> {
  readonly schema: z.ZodType<Settings>;
  prepare(): Promise<void> | undefined;
  book(context: CompileContext): BanBook;
  compile(name: string, settings: Settings, book: BanBook, context: CompileContext): BanFacts | null;
  join(facts: readonly BanFacts[], book: BanBook): Bans;
}

/** What an entry of `decisionServices` is made of. */
export interface DecisionServiceKind<Settings> {
  readonly schema: z.ZodType<Settings>;
  compile(name: string, settings: Settings, context: CompileContext): DecisionService | null;
}

/** What an entry of `detectors` is made of. */
export interface DetectorKind<Settings> {
  readonly schema: z.ZodType<Settings>;
  compile(name: string, settings: Settings, context: CompileContext): Steps<Detector | null>;
}

const callers = new Later("callers", () => import("./callers.ts"));

async function ofCallers(): Promise<typeof import("./callers.ts")> {
  await callers.prepare();
  return callers.get();
}

const decide = new Later("decide", () => import("./credentials.ts"));

const decideFilter: Filter<DecideSettings> = {
  name: "decide",
  defaults: "override",
  get schema() {
    return decide.get().decideSchema;
  },
  section: "decisionServices",
  prepare: decide.prepare,
  compile: (settings, context) => decide.get().compileDecide(settings, context),
};

const decisionServiceKind: DecisionServiceKind<DecisionServiceSettings> = {
  get schema() {
    return decide.get().decisionServiceSchema;
  },
  compile: (...settings) => decide.get().compileDecisionService(...settings),
};

const detect = new Later("detect", () => import("./detect/compile.ts"));

const detectFilter: Filter<DetectSettings> = {
  name: "detect",
  defaults: "override",
  get schema() {
    return detect.get().detectFilter.schema;
  },
  section: "detectors",
  prepare: detect.prepare,
  compile: (settings, context) => detect.get().detectFilter.compile(settings, context),
};

const detectorKind: DetectorKind<DetectorSettings> = {
  get schema() {
    return detect.get().detectorSchema;
  },
  compile: (...settings) => detect.get().compileDetector(...settings),
};

const stores = new Later("stores", () => import("./limit-store/compile.ts"));

const limitStoreKind: LimitStoreKind<StoreSettings> = {
  get schema() {
    return stores.get().storeSchema;
  },
  prepare: stores.prepare,
  compile: (...settings) => stores.get().compileStore(...settings),
};

const bans = new Later("bans", () => import("./bans/compile.ts"));

const banKind: BanKind<BanSettings> = {
  get schema() {
    return bans.get().banSchema;
  },
  prepare: bans.prepare,
  book: (context) => bans.get().banBook(context),
  compile: (...settings) => bans.get().compileBan(...settings),
  join: (facts, book) => {
    const { Bans: Joined } = bans.get();
    return new Joined(facts, book);
  },
};

/** All that there are. A new protection is one line here. */
export const REGISTRY: Registry = {
  filters: [
    priorityFilter,
    lazyFilter({ name: "undeclared", defaults: "override" }, async () => (await ofCallers()).undeclaredFilter),
    lazyFilter({ name: "address", defaults: "add" }, async () => (await ofCallers()).addressFilter),
    lazyFilter({ name: "bots", defaults: "add" }, async () => (await import("./bots/compile.ts")).botsFilter),
    lazyFilter(
      { name: "authenticate", defaults: "override", insteadOf: ["any", "all"] },
      async () => (await ofCallers()).authenticateFilter,
    ),
    lazyFilter(
      { name: "deprecated", defaults: "override" },
      async () => (await import("./deprecated/compile.ts")).deprecatedFilter,
    ),
    decideFilter,
    lazyFilter(
      { name: "authorize", defaults: "add", section: "roles" },
      async () => (await ofCallers()).authorizeFilter,
    ),
    lazyFilter({ name: "limit", defaults: "add" }, async () => (await ofCallers()).limitFilter),
    lazyFilter(
      { name: "validate", defaults: "override" },
      async () => (await import("./validate/compile.ts")).validateFilter,
    ),
    detectFilter,
    lazyFilter(
      { name: "websocket", defaults: "override" },
      async () => (await import("./websocket/compile.ts")).webSocketFilter,
    ),
    lazyFilter(
      { name: "rewrite", defaults: "override", insteadOf: ["path", "prefix"] },
      async () => (await import("./rewrite/compile.ts")).rewriteFilter,
    ),
    lazyFilter(
      { name: "respond", defaults: "override", insteadOf: ["body", "json"] },
      async () => (await import("./respond/compile.ts")).respondFilter,
    ),
    lazyFilter(
      { name: "redirect", defaults: "override" },
      async () => (await import("./respond/redirect.ts")).redirectFilter,
    ),
    requestFilter,
    responseFilter,
    lazyFilter({ name: "cors", defaults: "override" }, async () => (await import("./cors/compile.ts")).corsFilter),
  ],
  authenticators: [
    lazyKind("client-certificate", async () => (await ofCallers()).clientCertificateKind),
    lazyKind("api-key", async () => (await import("./credentials.ts")).apiKeyKind),
    lazyKind("basic", async () => (await import("./credentials.ts")).basicKind),
    lazyKind("jwt", async () => (await import("./credentials.ts")).jwtKind),
    lazyKind("introspection", async () => (await import("./credentials.ts")).introspectionKind),
    lazyKind("signature", async () => (await import("./credentials.ts")).signatureKind),
    lazyKind("anonymous", async () => (await ofCallers()).anonymousKind),
  ],
  limits: LIMIT_KINDS,
  limitStore: limitStoreKind,
  bans: banKind,
  role: {
    get schema() {
      return callers.get().ruleSchema;
    },
  },
  decisionService: decisionServiceKind,
  detector: detectorKind,
};
