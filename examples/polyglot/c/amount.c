/* What an item costs. */
#include "weir.h"

static void amount(weir_call *c) {
  const int64_t *quantity = weir_i64(c, 0);
  const double *price = weir_f64(c, 1);
  double *amount = weir_out_f64(c, 0);
  for (uint32_t row = 0; row < c->rows; row++) amount[row] = (double)quantity[row] * price[row];
}

static const weir_function functions[] = {
  { .name = "amount", .kind = WEIR_MAP, .doc = "Quantity times price.",
    .inputs = { { "quantity", WEIR_INT64 }, { "price", WEIR_FLOAT64 } },
    .outputs = { { "amount", WEIR_FLOAT64 } },
    .call = amount },
};
WEIR_EXPORT(functions)
