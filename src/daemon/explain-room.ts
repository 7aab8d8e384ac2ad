import type { AdminRoom } from "../resources/admin-room.ts";
import { err, ok } from "../support/result.ts";

/** `GET /explain?id=ID`: a decision that is kept, in the words of `postern explain ID`. */
export function explainRoom(decisions: AdminRoom): AdminRoom {
  return {
    path: "/explain",
    acts: {},
    show: async (query) => {
      const id = query.get("id") ?? "";
      const found = await decisions.show(new URLSearchParams({ id }));
      if (!found.ok) return found;
      // Nobody else needs what tells of decisions here.
      const { readFacts } = await import("../records/read-facts.ts");
      const { decisionExplanation } = await import("../rehearsal/decision-steps.ts");
      const { explanationText } = await import("../rehearsal/explanation.ts");
      const facts = readFacts(found.value["decision"]);
      if (!facts.ok) return err({ status: 404, text: facts.error });
      const explanation = decisionExplanation(facts.value);
      return ok({ id, ...explanation, text: explanationText(explanation) });
    },
  };
}
