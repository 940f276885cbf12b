import { map, RowError } from "weir";

map(
  "price_class",
  {
    doc: "Dear or cheap.",
    parameters: { limit: { type: "float64", default: 100, doc: "From where on it is dear." } },
    input: { price: "float64" },
    output: "text",
  },
  ({ price }, { limit }) => {
    if (price < 0) throw new RowError("a price below zero");
    return price > limit ? "dear" : "cheap";
  },
);
