/** 2 KB of JSON, as a form of a shop would send it, and the schema that it fits. */
export const ORDER = JSON.stringify({
  customer: "6f1c1a52-54f3-4c61-9a35-0d6e5f1f2a77",
  currency: "EUR",
  note: "Please ring twice, the bell of the side door is broken.",
  address: { name: "A. Customer", street: "Long Street 42", city: "Exampletown", postcode: "12345", country: "DE" },
  items: Array.from({ length: 19 }, (_, at) => ({
    sku: `ABC-${1000 + at}`,
    name: `Article number ${at}, in the usual size`,
    quantity: at + 1,
    price: 12.5 + at,
  })),
});
/** The same, but for a quantity that the schema does not allow. */
export const BROKEN_ORDER = ORDER.replace('"quantity":19', '"quantity":-1');

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
      maxItems: 100,
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
