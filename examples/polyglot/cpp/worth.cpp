// Which items count.
#include "weir.h"

static void worth(weir_call *c) {
  const double *amount = weir_f64(c, 0);
  const double least = weir_parameter_f64(c, 0);
  for (uint32_t row = 0; row < c->rows; row++) {
    if (amount[row] >= least) weir_keep(c, row);
  }
}

static const weir_function functions[] = {
  { .name = "worth", .kind = WEIR_FILTER, .doc = "Whether an amount is worth counting.",
    .parameters = { { "least", WEIR_FLOAT64, "1", "The least amount that is." } },
    .inputs = { { "amount", WEIR_FLOAT64 } },
    .call = worth },
};
WEIR_EXPORT(functions)
