/* The C SDK without a component: a program of the machine that stands in for the host. Addresses have 64 bits
 * there, so calls go in behind the exports, whose results are for 32.
 *
 *   cc -I guest-sdk/c guest-sdk/c/tests/weir_test.c && ./a.out */
#include "weir.h"
#include <stdio.h>

static char logged[256];
void weir_host_log_(int32_t level, const char *text, size_t length) { snprintf(logged, sizeof logged, "%d: %.*s", level, (int)length, text); }
void weir_host_parameter_(const char *name, size_t length, void *answer) {
  struct { uint8_t given; weir_list_ text; } *to = answer;
  to->given = length == 5 && memcmp(name, "limit", 5) == 0;
  to->text = weir_string_(to->given ? "50.5" : NULL);
}
int64_t weir_host_now_(void) { return 7; }
int64_t weir_host_random_(void) { return -1; }

static void classed(weir_call *c) {
  for (uint32_t row = 0; row < c->rows; row++) {
    if (weir_is_null(c, 0, row)) { weir_set_null(c, 0, row); continue; }
    double price = weir_f64(c, 0)[row];
    if (price < 0) weir_fail(c, row, "below zero");
    else weir_set_text(c, 0, row, price > weir_parameter_f64(c, 0) ? (weir_text){ "dear", 4 } : (weir_text){ "cheap", 5 });
  }
}
static void repeated(weir_call *c) {
  for (uint32_t row = 0; row < c->rows; row++) {
    for (double n = 0; n < weir_f64(c, 0)[row]; n++) weir_set_i64(c, 0, weir_emit(c, row), (int64_t)n);
  }
}
static void sum(weir_call *c) { for (uint32_t row = 0; row < c->rows; row++) weir_acc_f64(c, 0)[c->groups[row]] += weir_f64(c, 0)[row]; }

static const weir_function functions[] = {
  { .name = "classed", .kind = WEIR_MAP, .parameters = { { "limit", WEIR_FLOAT64, "100", "" } },
    .inputs = { { "price", WEIR_FLOAT64 | WEIR_NULLABLE } }, .outputs = { { "class", WEIR_TEXT | WEIR_NULLABLE } }, .call = classed },
  { .name = "repeated", .kind = WEIR_FLAT_MAP, .inputs = { { "n", WEIR_FLOAT64 } }, .outputs = { { "i", WEIR_INT64 } }, .call = repeated },
  { .name = "sum", .kind = WEIR_AGGREGATE, .inputs = { { "n", WEIR_FLOAT64 } }, .accumulator = { { "sum", WEIR_FLOAT64 } }, .call = sum },
};
WEIR_EXPORT(functions)

static int failures;
#define CHECK(condition) ((condition) ? (void)0 : (void)(failures++, fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition)))

static weir_wire_ column(double *values, uint32_t rows, uint8_t *validity) {
  weir_wire_ wire = { { validity, validity ? (rows + 7) / 8 : 0 }, { NULL, 0 }, { (uint8_t *)values, rows * 8 } };
  return wire;
}

static void a_map_with_nulls_and_a_row_that_fails(void) {
  double prices[] = { 51, -1, 0, 50 };
  uint8_t validity[] = { 0x0b };
  weir_wire_ in = column(prices, 4, validity);
  weir_call *c = weir_begin_(0, WEIR_MAP, 4);
  weir_input_(c, c->function->inputs, 4, &in, 1);
  c->function->call(c);
  weir_batch_ out = weir_batch_of_(c->out, c->function->outputs, 4);
  const uint32_t *offsets = (const uint32_t *)out.columns[0].offsets.data;
  CHECK(out.rows == 4 && out.count == 1 && offsets[4] == 9);
  CHECK(memcmp(out.columns[0].values.data, "dearcheap", 9) == 0);
  CHECK(out.columns[0].validity.data[0] == 0x09);
  CHECK(c->errors_count == 1 && c->errors[0].row == 1 && memcmp(c->errors[0].message.data, "below zero", 10) == 0);
  weir_reset_();
}

static void rows_that_are_put_out_know_their_parents(void) {
  double counts[] = { 100, 0, 2 };
  weir_wire_ in = column(counts, 3, NULL);
  weir_call *c = weir_begin_(1, WEIR_FLAT_MAP, 3);
  weir_input_(c, c->function->inputs, 3, &in, 1);
  c->function->call(c);
  weir_batch_ out = weir_batch_of_(c->out, c->function->outputs, c->emitted);
  const int64_t *values = (const int64_t *)out.columns[0].values.data;
  CHECK(out.rows == 102 && values[99] == 99 && values[101] == 1);
  CHECK(c->parents[99] == 0 && c->parents[100] == 2);
  weir_reset_();
}

static void accumulators_come_in_and_go_back(void) {
  double held[] = { 1, 2 }, numbers[] = { 10, 20, 30 };
  uint32_t groups[] = { 1, 1, 0 };
  weir_wire_ states = column(held, 2, NULL), in = column(numbers, 3, NULL);
  weir_call *c = weir_begin_(2, WEIR_AGGREGATE, 0);
  weir_accumulators_(c, 2, &states, 1);
  weir_input_(c, c->function->inputs, 3, &in, 1);
  weir_groups_(c, groups, sizeof groups);
  c->function->call(c);
  CHECK(weir_acc_f64(c, 0)[0] == 31 && weir_acc_f64(c, 0)[1] == 32);
  groups[2] = 2;
  weir_groups_(c, groups, sizeof groups);
  CHECK(c->is_refused);
  weir_reset_();
}

static void what_does_not_fit_is_refused(void) {
  weir_call *c = weir_begin_(0, WEIR_FILTER, 0);
  CHECK(c->is_refused);
  c = weir_begin_(0, WEIR_MAP, 0);
  weir_input_(c, c->function->inputs, 0, NULL, 0);
  CHECK(c->is_refused);
  weir_reset_();
}

static void memory_of_a_call_is_used_again(void) {
  uint8_t *first = weir_alloc(100);
  weir_reset_();
  CHECK(weir_alloc(100) == first);
  CHECK((uintptr_t)weir_alloc(1) % 16 == 0);
  weir_alloc(1 << 20);
  weir_reset_();
}

int main(void) {
  a_map_with_nulls_and_a_row_that_fails();
  rows_that_are_put_out_know_their_parents();
  accumulators_come_in_and_go_back();
  what_does_not_fit_is_refused();
  memory_of_a_call_is_used_again();
  weir_log(WEIR_WARN, "a line");
  CHECK(strcmp(logged, "2: a line") == 0 && weir_now() == 7 && weir_random() == ~0ull);
  if (!failures) puts("ok");
  return failures != 0;
}
