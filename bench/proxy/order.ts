/** JSON as a form of a shop would send it, for so many articles: 19 are 2 KB, 10,700 nearly 1 MiB. */
export function orderOf(articles: number): string {
  return JSON.stringify({
    customer: "6f1c1a52-54f3-4c61-9a35-0d6e5f1f2a77",
    currency: "EUR",
    note: "Please ring twice, the bell of the side door is broken.",
    address: { name: "A. Customer", street: "Long Street 42", city: "Exampletown", postcode: "12345", country: "DE" },
    items: Array.from({ length: articles }, (_, at) => ({
      sku: `ABC-${1000 + (at % 9000)}`,
      name: `Article number ${at}, in the usual size`,
      quantity: (at % 1000) + 1,
      price: 12.5 + at,
    })),
  });
}

/** The same, but for the last quantity, which the schema does not allow. */
export function brokenOrderOf(articles: number): string {
  return orderOf(articles).replace(/"quantity":\d+(,"price":[\d.]+\}\]\})$/, '"quantity":-1$1');
}

const text = (maxLength: number) => ({ type: "string", minLength: 1, maxLength });

export const ORDER_SCHEMA = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  type: "object",
  required: ["customer", "currency", "address", "items"],
  additionalProperties: false,
  properties: {
    customer: { type: "string", format: "uuid" },
    currency: { enum: ["EUR", "USD", "GBP"] },
    note: { type: "string", maxLength: 500 },
    address: {
      type: "object",
      required: ["name", "street", "city", "postcode", "country"],
      additionalProperties: false,
      properties: {
        name: text(100),
        street: text(100),
        city: text(100),
        postcode: { type: "string", pattern: "^[0-9]{5}$" },
        country: { type: "string", pattern: "^[A-Z]{2}$" },
      },
    },
    items: {
      type: "array",
      minItems: 1,
      maxItems: 20_000,
      items: {
        type: "object",
        required: ["sku", "quantity", "price"],
        additionalProperties: false,
        properties: {
          sku: { type: "string", pattern: "^[A-Z]{3}-[0-9]{4}$" },
          name: text(200),
          quantity: { type: "integer", minimum: 1, maximum: 1000 },
          price: { type: "number", minimum: 0 },
        },
      },
    },
  },
};

/** What the service answers: orders of 30 properties, most of which they do not have. */
export const ANSWER_SCHEMA = {
  type: "object",
  required: ["orders"],
  additionalProperties: false,
  properties: {
    orders: {
      type: "array",
      items: {
        type: "object",
        required: ["id", "status", "total"],
        additionalProperties: false,
        properties: {
          id: { type: "integer", minimum: 1 },
          status: { enum: ["open", "paid", "shipped"] },
          customer: {
            type: "object",
            required: ["name"],
            additionalProperties: false,
            properties: { name: text(100), city: text(100) },
          },
          items: { type: "integer", minimum: 1, maximum: 1000 },
          total: { type: "string", pattern: "^[0-9]{1,9}\\.[0-9]{2}$" },
          cost: { type: "string", pattern: "^[0-9]{1,9}\\.[0-9]{2}$" },
          password: { type: "string", writeOnly: true },
          ...Object.fromEntries(Array.from({ length: 23 }, (_, at) => [`note${at}`, text(200)])),
        },
      },
    },
  },
};
