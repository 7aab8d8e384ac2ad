import { Later } from "../lazy.ts";

/** What `validate` loads with the first policy that has the key. */
export const FORM: Later<typeof import("./form/compile.ts")> = new Later(
  "validate.form",
  () => import("./form/compile.ts"),
);
export const PARTS: Later<typeof import("./multipart/compile.ts")> = new Later(
  "validate.body.content.parts",
  () => import("./multipart/compile.ts"),
);
export const ITEMS: Later<typeof import("./items/compile.ts")> = new Later(
  "validate.body.itemSchema",
  () => import("./items/compile.ts"),
);
export const SANITISE: Later<typeof import("./sanitise/compile.ts")> = new Later(
  "validate.body.sanitise",
  () => import("./sanitise/compile.ts"),
);
export const INFLATE: Later<typeof import("./inflate.ts")> = new Later(
  "validate.inflate",
  () => import("./inflate.ts"),
);
export const GRPC: Later<typeof import("./grpc/compile.ts")> = new Later(
  "validate.grpc",
  () => import("./grpc/compile.ts"),
);
export const LEAKS: Later<typeof import("./leaks/compile.ts")> = new Later(
  "validate.leaks",
  () => import("./leaks/compile.ts"),
);
