import { ORDER_SCHEMA } from "./order.ts";

const { $schema: _, ...order } = ORDER_SCHEMA;
const responses = { 200: { description: "as it is" } };
const id = { name: "id", in: "path", required: true, schema: { type: "string", maxLength: 40 } };
const page = { name: "page", in: "query", schema: { type: "integer", minimum: 1, maximum: 1000 } };
const trace = { name: "X-Trace", in: "header", schema: { type: "string", maxLength: 64 } };

/** Of 100 operations, each with parameters; the order that is posted is one of 50 bodies. */
export const DESCRIPTION = {
  openapi: "3.0.3",
  info: { title: "orders", version: "1" },
  paths: {
    "/v1/orders": { post: { operationId: "createOrder", parameters: [page, trace], ...bodyOf("Order"), responses } },
    "/v1/orders/{id}": { get: { operationId: "readOrder", parameters: [id, page, trace], responses } },
    ...Object.fromEntries(
      Array.from({ length: 49 }, (__, at) => [
        `/v1/things${at}/{id}`,
        {
          get: { operationId: `readThing${at}`, parameters: [id, page], responses },
          post: { operationId: `createThing${at}`, parameters: [id], ...bodyOf("Order"), responses },
        },
      ]),
    ),
  },
  components: { schemas: { Order: order } },
};

function bodyOf(name: string) {
  return {
    requestBody: {
      required: true,
      content: { "application/json": { schema: { $ref: `#/components/schemas/${name}` } } },
    },
  };
}
