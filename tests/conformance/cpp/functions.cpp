// The reference functions of the conformance kit, in C++. What they do stands in ../README.md.
#include "weir.h"
#include <algorithm>
#include <cstdio>
#include <string>

static void echo(weir_call *c) {
  for (uint32_t row = 0; row < c->rows; row++) {
    if (!weir_is_null(c, 0, row)) weir_set_bool(c, 0, row, weir_bool(c, 0, row));
    if (!weir_is_null(c, 1, row)) weir_set_i32(c, 1, row, weir_i32(c, 1)[row]);
    if (!weir_is_null(c, 2, row)) weir_set_i64(c, 2, row, weir_i64(c, 2)[row]);
    if (!weir_is_null(c, 3, row)) weir_set_f32(c, 3, row, weir_f32(c, 3)[row]);
    if (!weir_is_null(c, 4, row)) weir_set_f64(c, 4, row, weir_f64(c, 4)[row]);
    if (!weir_is_null(c, 5, row)) weir_set_i64(c, 5, row, weir_timestamps(c, 5)[row]);
    if (!weir_is_null(c, 6, row)) weir_set_text(c, 6, row, weir_text_at(c, 6, row));
    if (!weir_is_null(c, 7, row)) weir_set_text(c, 7, row, weir_text_at(c, 7, row));
  }
}

static void product(weir_call *c) {
  const double *a = weir_f64(c, 0), *b = weir_f64(c, 1);
  double *product = weir_out_f64(c, 0);
  for (uint32_t row = 0; row < c->rows; row++) product[row] = a[row] * b[row];
}

static void quotient(weir_call *c) {
  const int64_t *a = weir_i64(c, 0), *b = weir_i64(c, 1);
  for (uint32_t row = 0; row < c->rows; row++) {
    if (b[row] == 0) weir_fail(c, row, "division by zero");
    else if (b[row] == -1) weir_set_i64(c, 0, row, (int64_t)(0 - (uint64_t)a[row]));
    else weir_set_i64(c, 0, row, a[row] / b[row]);
  }
}

// A text that lasts until the call is over.
static weir_text lasting(const std::string &text) {
  char *copy = static_cast<char *>(weir_alloc(text.size()));
  std::copy(text.begin(), text.end(), copy);
  return { copy, text.size() };
}

static void describe(weir_call *c) {
  weir_text prefix = weir_parameter_text(c, 0);
  for (uint32_t row = 0; row < c->rows; row++) {
    weir_text given = weir_text_at(c, 0, row);
    std::string whole(prefix.data, prefix.length);
    whole.append(given.data, given.length).append(":").append(std::to_string(given.length));
    weir_set_text(c, 0, row, lasting(whole));
  }
}

static void settings(weir_call *c) {
  for (uint32_t row = 0; row < c->rows; row++) {
    weir_set_bool(c, 0, row, weir_parameter_bool(c, 0));
    weir_set_i32(c, 1, row, weir_parameter_i32(c, 1));
    weir_set_i64(c, 2, row, weir_parameter_i64(c, 2));
    weir_set_f64(c, 3, row, weir_parameter_f64(c, 3));
    weir_set_i64(c, 4, row, weir_parameter_i64(c, 4));
    weir_set_text(c, 5, row, weir_parameter_text(c, 5));
    weir_set_i64(c, 6, row, weir_now());
  }
}

static void above(weir_call *c) {
  const double *value = weir_f64(c, 0);
  double threshold = weir_parameter_f64(c, 0);
  for (uint32_t row = 0; row < c->rows; row++) {
    if (value[row] != value[row]) weir_fail(c, row, "not a number");
    else if (value[row] > threshold) weir_keep(c, row);
  }
}

static void words(weir_call *c) {
  for (uint32_t row = 0; row < c->rows; row++) {
    weir_text text = weir_text_at(c, 0, row);
    if (text.length == 1 && text.data[0] == '!') { weir_fail(c, row, "no words"); continue; }
    int64_t position = 0;
    for (size_t at = 0; at < text.length;) {
      size_t end = at;
      while (end < text.length && text.data[end] != ' ') end++;
      if (end > at) {
        uint32_t out = weir_emit(c, row);
        weir_set_text(c, 0, out, (weir_text){ text.data + at, end - at });
        weir_set_i64(c, 1, out, position++);
      }
      at = end + 1;
    }
  }
}

static void mean(weir_call *c) {
  const double *value = weir_f64(c, 0);
  double *sum = weir_acc_f64(c, 0);
  int64_t *count = weir_acc_i64(c, 1);
  for (uint32_t row = 0; row < c->rows; row++) {
    if (value[row] < 0) { weir_fail(c, row, "negative"); continue; }
    sum[c->groups[row]] += value[row];
    count[c->groups[row]] += 1;
  }
}
static void mean_merge(weir_call *c) {
  const double *sum = weir_f64(c, 0);
  const int64_t *count = weir_i64(c, 1);
  for (uint32_t other = 0; other < c->rows; other++) {
    weir_acc_f64(c, 0)[c->groups[other]] += sum[other];
    weir_acc_i64(c, 1)[c->groups[other]] += count[other];
  }
}
static void mean_finish(weir_call *c) {
  for (uint32_t group = 0; group < c->count; group++) {
    int64_t count = weir_acc_i64(c, 1)[group];
    if (count) weir_set_f64(c, 0, group, weir_acc_f64(c, 0)[group] / (double)count);
  }
}
static void mean_retract(weir_call *c) {
  const double *value = weir_f64(c, 0);
  for (uint32_t row = 0; row < c->rows; row++) {
    weir_acc_f64(c, 0)[c->groups[row]] -= value[row];
    weir_acc_i64(c, 1)[c->groups[row]] -= 1;
  }
}

static void take_longest(weir_call *c, uint32_t group, weir_text text) {
  if (weir_acc_is_null(c, 0, group) || text.length > weir_acc_text(c, 0, group).length) weir_acc_set_text(c, 0, group, text);
}
static void longest(weir_call *c) {
  for (uint32_t row = 0; row < c->rows; row++) take_longest(c, c->groups[row], weir_text_at(c, 0, row));
}
static void longest_merge(weir_call *c) {
  for (uint32_t other = 0; other < c->rows; other++) {
    if (!weir_is_null(c, 0, other)) take_longest(c, c->groups[other], weir_text_at(c, 0, other));
  }
}
static void longest_finish(weir_call *c) {
  for (uint32_t group = 0; group < c->count; group++) {
    if (!weir_acc_is_null(c, 0, group)) weir_set_text(c, 0, group, weir_acc_text(c, 0, group));
  }
}

static void balance(weir_call *c) {
  const int64_t *amount = weir_i64(c, 0);
  int64_t *held = weir_acc_i64(c, 0);
  for (uint32_t row = 0; row < c->rows; row++) {
    int64_t *state = &held[c->groups[row]];
    if (*state + amount[row] < 0) { weir_fail(c, row, "overdrawn"); continue; }
    *state += amount[row];
    weir_set_i64(c, 0, weir_emit(c, row), *state);
  }
}

static void median(weir_call *c) {
  const double *value = weir_f64(c, 0);
  for (uint32_t group = 0, start = 0, end; group < c->count; group++, start = end) {
    for (end = start; end < c->rows && c->groups[end] == group;) end++;
    uint32_t n = end - start, out = weir_emit(c, group);
    if (!n) continue;
    double *sorted = (double *)weir_alloc(n * sizeof *sorted);
    memcpy(sorted, value + start, n * sizeof *sorted);
    std::sort(sorted, sorted + n);
    weir_set_f64(c, 0, out, n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2);
  }
}

static void complain(weir_call *c) {
  for (uint32_t row = 0; row < c->rows; row++) {
    weir_text text = weir_text_at(c, 0, row);
    printf("about to fail: %.*s\n", (int)text.length, text.data);
  }
  if (c->rows) weir_refuse(c, "complained");
}

static const weir_function functions[] = {
  { .name = "echo", .kind = WEIR_MAP, .doc = "Every value as it came.",
    .inputs = { { "b", WEIR_BOOLEAN | WEIR_NULLABLE }, { "i", WEIR_INT32 | WEIR_NULLABLE }, { "l", WEIR_INT64 | WEIR_NULLABLE },
                { "f", WEIR_FLOAT32 | WEIR_NULLABLE }, { "d", WEIR_FLOAT64 | WEIR_NULLABLE }, { "t", WEIR_TIMESTAMP | WEIR_NULLABLE },
                { "s", WEIR_TEXT | WEIR_NULLABLE }, { "y", WEIR_BYTES | WEIR_NULLABLE } },
    .outputs = { { "b", WEIR_BOOLEAN | WEIR_NULLABLE }, { "i", WEIR_INT32 | WEIR_NULLABLE }, { "l", WEIR_INT64 | WEIR_NULLABLE },
                 { "f", WEIR_FLOAT32 | WEIR_NULLABLE }, { "d", WEIR_FLOAT64 | WEIR_NULLABLE }, { "t", WEIR_TIMESTAMP | WEIR_NULLABLE },
                 { "s", WEIR_TEXT | WEIR_NULLABLE }, { "y", WEIR_BYTES | WEIR_NULLABLE } },
    .call = echo },
  { .name = "product", .kind = WEIR_MAP, .doc = "a times b.",
    .inputs = { { "a", WEIR_FLOAT64 }, { "b", WEIR_FLOAT64 } }, .outputs = { { "product", WEIR_FLOAT64 } }, .call = product },
  { .name = "quotient", .kind = WEIR_MAP, .doc = "a by b, towards zero.",
    .inputs = { { "a", WEIR_INT64 }, { "b", WEIR_INT64 } }, .outputs = { { "quotient", WEIR_INT64 } }, .call = quotient },
  { .name = "describe", .kind = WEIR_MAP, .doc = "A text with a prefix and its length in bytes.",
    .parameters = { { "prefix", WEIR_TEXT, NULL, "What stands before it." } },
    .inputs = { { "text", WEIR_TEXT } }, .outputs = { { "describe", WEIR_TEXT } }, .call = describe },
  { .name = "settings", .kind = WEIR_MAP, .doc = "The parameters, and the time.",
    .parameters = { { "flag", WEIR_BOOLEAN, "true", "" }, { "small", WEIR_INT32, "-7", "" }, { "large", WEIR_INT64, "9007199254740993", "" },
                    { "ratio", WEIR_FLOAT64, "0.1", "" }, { "since", WEIR_TIMESTAMP, "1360326600000000", "" }, { "name", WEIR_TEXT, "né", "" } },
    .inputs = { { "row", WEIR_INT64 } },
    .outputs = { { "flag", WEIR_BOOLEAN }, { "small", WEIR_INT32 }, { "large", WEIR_INT64 }, { "ratio", WEIR_FLOAT64 },
                 { "since", WEIR_TIMESTAMP }, { "name", WEIR_TEXT }, { "now", WEIR_TIMESTAMP } },
    .call = settings },
  { .name = "above", .kind = WEIR_FILTER, .doc = "Whether a value is above the threshold.",
    .parameters = { { "threshold", WEIR_FLOAT64, "10.5", "" } }, .inputs = { { "value", WEIR_FLOAT64 } }, .call = above },
  { .name = "words", .kind = WEIR_FLAT_MAP, .doc = "What stands between spaces, with its place.",
    .inputs = { { "text", WEIR_TEXT } }, .outputs = { { "word", WEIR_TEXT }, { "position", WEIR_INT64 } }, .call = words },
  { .name = "mean", .kind = WEIR_AGGREGATE, .doc = "The mean of values that are not negative.",
    .inputs = { { "value", WEIR_FLOAT64 } }, .outputs = { { "mean", WEIR_FLOAT64 | WEIR_NULLABLE } },
    .accumulator = { { "sum", WEIR_FLOAT64 }, { "count", WEIR_INT64 } },
    .call = mean, .merge = mean_merge, .finish = mean_finish, .retract = mean_retract },
  { .name = "longest", .kind = WEIR_AGGREGATE, .doc = "The first of the texts with most bytes.",
    .inputs = { { "text", WEIR_TEXT } }, .outputs = { { "longest", WEIR_TEXT | WEIR_NULLABLE } },
    .accumulator = { { "text", WEIR_TEXT | WEIR_NULLABLE } },
    .call = longest, .merge = longest_merge, .finish = longest_finish },
  { .name = "balance", .kind = WEIR_STATEFUL_MAP, .doc = "What is left on an account.",
    .inputs = { { "amount", WEIR_INT64 } }, .outputs = { { "balance", WEIR_INT64 } }, .accumulator = { { "value", WEIR_INT64 } }, .call = balance },
  { .name = "median", .kind = WEIR_GROUP_MAP, .doc = "The middle of the sorted values.",
    .inputs = { { "value", WEIR_FLOAT64 } }, .outputs = { { "median", WEIR_FLOAT64 | WEIR_NULLABLE } }, .call = median },
  { .name = "complain", .kind = WEIR_MAP, .doc = "Prints each text, and refuses the batch.",
    .inputs = { { "text", WEIR_TEXT } }, .outputs = { { "complain", WEIR_TEXT } }, .call = complain },
};
WEIR_EXPORT(functions)
