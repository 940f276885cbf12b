// A product's name as it is printed.
import { map } from "weir";

map("label", { doc: "Each word with a capital.", input: { product: "text" }, output: "text" }, ({ product }) =>
  product.split(/[ -]/).map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join(" "));
