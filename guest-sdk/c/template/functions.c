#include "weir.h"

static void price_class(weir_call *c) {
  const double *price = weir_f64(c, 0);
  double limit = weir_parameter_f64(c, 0);
  for (uint32_t row = 0; row < c->rows; row++) {
    if (price[row] < 0) weir_fail(c, row, "a price below zero");
    else weir_set_text(c, 0, row, price[row] > limit ? (weir_text){ "dear", 4 } : (weir_text){ "cheap", 5 });
  }
}

static const weir_function functions[] = {
  { .name = "price_class", .kind = WEIR_MAP, .doc = "Dear or cheap.",
    .parameters = { { "limit", WEIR_FLOAT64, "100", "From where on it is dear." } },
    .inputs = { { "price", WEIR_FLOAT64 } },
    .outputs = { { "price_class", WEIR_TEXT } },
    .call = price_class },
};
WEIR_EXPORT(functions)
