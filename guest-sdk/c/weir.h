/* Write functions for Weir in C or C++: this header is all of it.
 *
 * A function is a row of a table that says what it takes and gives, and a C function that is called
 * with a whole batch. Columns come in and go out in Arrow's layout; numbers are plain arrays.
 *
 * Memory: whatever comes in, whatever the setters keep, and what `weir_alloc` gives belongs to the
 * call and is gone after it. Nothing has to be freed, nothing survives but what you `malloc`
 * yourself, and that only as a cache: the host may drop the instance between two calls.
 *
 * The shapes behind it stand in wit/README.md ("On the wire"). Needs wasm32 and a C library. */
#ifndef WEIR_H
#define WEIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a column holds. A timestamp is microseconds since 1970-01-01T00:00:00Z. */
enum { WEIR_BOOLEAN, WEIR_INT32, WEIR_INT64, WEIR_FLOAT32, WEIR_FLOAT64, WEIR_TIMESTAMP, WEIR_TEXT, WEIR_BYTES };
/* Or it to a field's type where the field may be null. */
#define WEIR_NULLABLE 0x100

typedef enum { WEIR_MAP, WEIR_FILTER, WEIR_FLAT_MAP, WEIR_AGGREGATE, WEIR_STATEFUL_MAP, WEIR_GROUP_MAP } weir_kind;
typedef enum { WEIR_DEBUG, WEIR_INFO, WEIR_WARN, WEIR_ERROR } weir_level;

/* A column's name and type. */
typedef struct { const char *name; int type; } weir_field;
/* A constant that the pipeline sets. Without a default it has to. */
typedef struct { const char *name; int type; const char *default_value; const char *doc; } weir_parameter;
/* A text or bytes; not terminated by a zero. */
typedef struct { const char *data; size_t length; } weir_text;

typedef struct weir_call weir_call;

#define WEIR_FIELDS_MAX 16
/* One function. Lists end where the first name is missing. */
typedef struct {
  const char *name;
  weir_kind kind;
  const char *doc;
  weir_parameter parameters[WEIR_FIELDS_MAX];
  weir_field inputs[WEIR_FIELDS_MAX];
  weir_field outputs[WEIR_FIELDS_MAX];
  weir_field accumulator[WEIR_FIELDS_MAX]; /* of an aggregate; a stateful map's state */
  void (*call)(weir_call *);   /* an aggregate's accumulate */
  void (*create)(weir_call *); /* sets new accumulators; may be left out: zeros and nulls */
  void (*merge)(weir_call *);  /* the input columns are the other accumulators' */
  void (*finish)(weir_call *); /* one output row for each accumulator */
  void (*retract)(weir_call *);/* may be left out */
} weir_function;

/* The functions of the component, once, at the end of one file:  WEIR_EXPORT(functions) */
#define WEIR_EXPORT(table) \
  const weir_function *const weir_functions_ = (table); \
  const uint32_t weir_functions_count_ = sizeof(table) / sizeof((table)[0]);
extern const weir_function *const weir_functions_;
extern const uint32_t weir_functions_count_;

/* ---- behind the scenes ------------------------------------------------------------------- */

typedef struct { uint8_t *data; uint32_t length; } weir_list_;
typedef struct { weir_list_ validity, offsets, values; } weir_wire_;
typedef struct { uint32_t rows; weir_wire_ *columns; uint32_t count; } weir_batch_;
typedef struct { uint32_t row; weir_list_ message; } weir_row_error_;

/* A column that comes in. */
typedef struct { const uint8_t *validity; const uint32_t *offsets; uint8_t *values; } weir_in_;
/* A column that is being written: of fixed width, of bits, or of texts that are put together at the end. */
typedef struct { int type; uint32_t rows; uint8_t *validity; uint8_t *values; weir_text *texts; } weir_out_;
typedef struct { bool truth; int32_t i32; int64_t i64; double f64; weir_text text; } weir_value_;

struct weir_call {
  uint32_t rows;          /* of the input; merge: how many others; create and finish: none */
  uint32_t count;         /* accumulators, states or groups */
  const uint32_t *groups; /* for each row of the input the index of its accumulator, state or group */
  uint32_t emitted;       /* rows put out so far by weir_emit */
  const weir_function *function;
  weir_in_ in[WEIR_FIELDS_MAX];
  weir_out_ out[WEIR_FIELDS_MAX], acc[WEIR_FIELDS_MAX];
  weir_value_ *parameters;
  uint8_t *keep;
  uint32_t *parents;
  uint32_t capacity;
  weir_row_error_ *errors;
  uint32_t errors_count, errors_capacity;
  weir_list_ refused;
  bool is_refused;
};

typedef struct weir_chunk_ { struct weir_chunk_ *next; size_t size, used; } weir_chunk_;
__attribute__((weak)) weir_chunk_ *weir_chunks_;
__attribute__((weak)) uint8_t *weir_last_; /* the newest allocation: it can grow where it is */
__attribute__((weak)) weir_value_ *weir_parsed_[64];

__attribute__((import_module("weir:udf/host@0.1.0"), import_name("log"))) void weir_host_log_(int32_t, const char *, size_t);
__attribute__((import_module("weir:udf/host@0.1.0"), import_name("parameter"))) void weir_host_parameter_(const char *, size_t, void *);
__attribute__((import_module("weir:udf/host@0.1.0"), import_name("now"))) int64_t weir_host_now_(void);
__attribute__((import_module("weir:udf/host@0.1.0"), import_name("random"))) int64_t weir_host_random_(void);

static inline size_t weir_round_(size_t bytes) { return (bytes + 15) & ~(size_t)15; }

/* Memory for the rest of the call, aligned to 16 bytes and not cleared. */
static inline void *weir_alloc(size_t bytes) {
  size_t need = weir_round_(bytes ? bytes : 1);
  weir_chunk_ *chunk = weir_chunks_;
  if (!chunk || chunk->size - chunk->used < need) {
    size_t size = chunk ? chunk->size * 2 : 65536;
    if (size < need) size = need;
    weir_chunk_ *more = (weir_chunk_ *)malloc(weir_round_(sizeof *more) + size);
    if (!more) { weir_host_log_(WEIR_ERROR, "out of memory", 13); abort(); }
    more->next = chunk; more->size = size; more->used = 0;
    weir_chunks_ = chunk = more;
  }
  weir_last_ = (uint8_t *)chunk + weir_round_(sizeof *chunk) + chunk->used;
  chunk->used += need;
  return weir_last_;
}

static inline void *weir_zeroed_(size_t bytes) { return memset(weir_alloc(bytes), 0, bytes); }

static inline void *weir_grow_(void *old, size_t from, size_t to) {
  weir_chunk_ *chunk = weir_chunks_;
  if (old && (uint8_t *)old == weir_last_ && to >= from && chunk->size - chunk->used >= weir_round_(to) - weir_round_(from ? from : 1)) {
    chunk->used += weir_round_(to) - weir_round_(from ? from : 1);
    return old;
  }
  void *fresh = weir_alloc(to);
  if (old) memcpy(fresh, old, from < to ? from : to);
  return fresh;
}

/* Forgets the call. The largest chunk is kept for the next one. */
static inline void weir_reset_(void) {
  weir_chunk_ *chunk = weir_chunks_;
  if (!chunk) return;
  while (chunk->next) { weir_chunk_ *next = chunk->next; chunk->next = next->next; free(next); }
  chunk->used = 0;
  weir_last_ = NULL;
}

static inline weir_list_ weir_string_(const char *text) {
  weir_list_ list = { (uint8_t *)text, text ? (uint32_t)strlen(text) : 0 };
  return list;
}

static inline bool weir_bit_(const uint8_t *bits, uint32_t row) { return bits[row / 8] >> (row % 8) & 1; }
static inline void weir_bit_set_(uint8_t *bits, uint32_t row, bool on) {
  uint8_t mask = (uint8_t)(1u << (row % 8));
  bits[row / 8] = (uint8_t)(on ? bits[row / 8] | mask : bits[row / 8] & ~mask);
}

static inline uint32_t weir_width_(int type) {
  switch (type & 0xff) {
    case WEIR_INT32: case WEIR_FLOAT32: return 4;
    case WEIR_INT64: case WEIR_FLOAT64: case WEIR_TIMESTAMP: return 8;
    default: return 0;
  }
}
static inline bool weir_is_text_(int type) { return (type & 0xff) >= WEIR_TEXT; }
static inline uint32_t weir_fields_(const weir_field *fields) {
  uint32_t n = 0;
  while (n < WEIR_FIELDS_MAX && fields[n].name) n++;
  return n;
}

/* ---- the rows that come in ----------------------------------------------------------------- */

/* Whole columns of numbers. What stands at a null has no meaning. */
static inline const int32_t *weir_i32(const weir_call *c, int column) { return (const int32_t *)c->in[column].values; }
static inline const int64_t *weir_i64(const weir_call *c, int column) { return (const int64_t *)c->in[column].values; }
static inline const float *weir_f32(const weir_call *c, int column) { return (const float *)c->in[column].values; }
static inline const double *weir_f64(const weir_call *c, int column) { return (const double *)c->in[column].values; }
static inline const int64_t *weir_timestamps(const weir_call *c, int column) { return weir_i64(c, column); }
/* One value. */
static inline bool weir_bool(const weir_call *c, int column, uint32_t row) { return weir_bit_(c->in[column].values, row); }
static inline weir_text weir_text_at(const weir_call *c, int column, uint32_t row) {
  const weir_in_ *in = &c->in[column];
  weir_text text = { (const char *)in->values + in->offsets[row], in->offsets[row + 1] - in->offsets[row] };
  return text;
}
/* Only in a nullable column. */
static inline bool weir_is_null(const weir_call *c, int column, uint32_t row) {
  return c->in[column].validity && !weir_bit_(c->in[column].validity, row);
}

/* Parameters, by their place in the table. */
static inline bool weir_parameter_bool(const weir_call *c, int i) { return c->parameters[i].truth; }
static inline int32_t weir_parameter_i32(const weir_call *c, int i) { return c->parameters[i].i32; }
static inline int64_t weir_parameter_i64(const weir_call *c, int i) { return c->parameters[i].i64; }
static inline double weir_parameter_f64(const weir_call *c, int i) { return c->parameters[i].f64; }
static inline weir_text weir_parameter_text(const weir_call *c, int i) { return c->parameters[i].text; }

/* ---- the rows that go out ------------------------------------------------------------------ */

static inline void weir_rows_(weir_out_ *out, uint32_t from, uint32_t to) {
  uint32_t width = weir_width_(out->type), bits_from = (from + 7) / 8, bits_to = (to + 7) / 8;
  if (weir_is_text_(out->type)) {
    out->texts = (weir_text *)weir_grow_(out->texts, from * sizeof(weir_text), to * sizeof(weir_text));
    memset(out->texts + from, 0, (to - from) * sizeof(weir_text));
  } else {
    uint32_t a = width ? from * width : bits_from, b = width ? to * width : bits_to;
    out->values = (uint8_t *)weir_grow_(out->values, a, b);
    memset(out->values + a, 0, b - a);
  }
  if (out->type & WEIR_NULLABLE) {
    out->validity = (uint8_t *)weir_grow_(out->validity, bits_from, bits_to);
    memset(out->validity + bits_from, 0, bits_to - bits_from);
  }
}
static inline void weir_valid_(weir_out_ *out, uint32_t row) { if (out->validity) weir_bit_set_(out->validity, row, true); }
static inline void weir_all_valid_(weir_out_ *out) { if (out->validity) memset(out->validity, 0xff, (out->rows + 7) / 8); }

/* A flat map, a stateful map or a group map puts out one more row, which comes from this row (or group)
 * of the input; parents never decrease. Gives the row's index for the setters. */
static inline uint32_t weir_emit(weir_call *c, uint32_t parent) {
  if (c->emitted == c->capacity) {
    uint32_t more = c->capacity < 64 ? 64 : c->capacity * 2;
    c->parents = (uint32_t *)weir_grow_(c->parents, c->capacity * 4, more * 4);
    for (uint32_t i = 0, n = weir_fields_(c->function->outputs); i < n; i++) weir_rows_(&c->out[i], c->capacity, more);
    c->capacity = more;
  }
  c->parents[c->emitted] = parent;
  return c->emitted++;
}

/* A whole column of a map or of finish, as an array to be filled; no row of it is null. */
static inline int32_t *weir_out_i32(weir_call *c, int column) { weir_all_valid_(&c->out[column]); return (int32_t *)c->out[column].values; }
static inline int64_t *weir_out_i64(weir_call *c, int column) { weir_all_valid_(&c->out[column]); return (int64_t *)c->out[column].values; }
static inline float *weir_out_f32(weir_call *c, int column) { weir_all_valid_(&c->out[column]); return (float *)c->out[column].values; }
static inline double *weir_out_f64(weir_call *c, int column) { weir_all_valid_(&c->out[column]); return (double *)c->out[column].values; }

static inline void weir_put_bool_(weir_out_ *out, uint32_t row, bool v) { weir_bit_set_(out->values, row, v); weir_valid_(out, row); }
static inline void weir_put_i32_(weir_out_ *out, uint32_t row, int32_t v) { ((int32_t *)out->values)[row] = v; weir_valid_(out, row); }
static inline void weir_put_i64_(weir_out_ *out, uint32_t row, int64_t v) { ((int64_t *)out->values)[row] = v; weir_valid_(out, row); }
static inline void weir_put_f32_(weir_out_ *out, uint32_t row, float v) { ((float *)out->values)[row] = v; weir_valid_(out, row); }
static inline void weir_put_f64_(weir_out_ *out, uint32_t row, double v) { ((double *)out->values)[row] = v; weir_valid_(out, row); }
static inline void weir_put_text_(weir_out_ *out, uint32_t row, weir_text v) { out->texts[row] = v; weir_valid_(out, row); }

/* One value. Rows that are not set are null where the column may be, zero or empty otherwise. A text is
 * not copied: it has to last until the call is over, as inputs and what weir_alloc gives do. */
static inline void weir_set_bool(weir_call *c, int column, uint32_t row, bool v) { weir_put_bool_(&c->out[column], row, v); }
static inline void weir_set_i32(weir_call *c, int column, uint32_t row, int32_t v) { weir_put_i32_(&c->out[column], row, v); }
static inline void weir_set_i64(weir_call *c, int column, uint32_t row, int64_t v) { weir_put_i64_(&c->out[column], row, v); }
static inline void weir_set_f32(weir_call *c, int column, uint32_t row, float v) { weir_put_f32_(&c->out[column], row, v); }
static inline void weir_set_f64(weir_call *c, int column, uint32_t row, double v) { weir_put_f64_(&c->out[column], row, v); }
static inline void weir_set_text(weir_call *c, int column, uint32_t row, weir_text v) { weir_put_text_(&c->out[column], row, v); }
static inline void weir_set_null(weir_call *c, int column, uint32_t row) { weir_bit_set_(c->out[column].validity, row, false); }

/* A filter keeps this row. */
static inline void weir_keep(weir_call *c, uint32_t row) { weir_bit_set_(c->keep, row, true); }

/* ---- accumulators and states: they come in, are changed in place, and go back --------------- */

static inline int32_t *weir_acc_i32(weir_call *c, int column) { return (int32_t *)c->acc[column].values; }
static inline int64_t *weir_acc_i64(weir_call *c, int column) { return (int64_t *)c->acc[column].values; }
static inline float *weir_acc_f32(weir_call *c, int column) { return (float *)c->acc[column].values; }
static inline double *weir_acc_f64(weir_call *c, int column) { return (double *)c->acc[column].values; }
static inline bool weir_acc_bool(const weir_call *c, int column, uint32_t group) { return weir_bit_(c->acc[column].values, group); }
static inline weir_text weir_acc_text(const weir_call *c, int column, uint32_t group) { return c->acc[column].texts[group]; }
static inline bool weir_acc_is_null(const weir_call *c, int column, uint32_t group) {
  return c->acc[column].validity && !weir_bit_(c->acc[column].validity, group);
}
static inline void weir_acc_set_bool(weir_call *c, int column, uint32_t group, bool v) { weir_put_bool_(&c->acc[column], group, v); }
static inline void weir_acc_set_i32(weir_call *c, int column, uint32_t group, int32_t v) { weir_put_i32_(&c->acc[column], group, v); }
static inline void weir_acc_set_i64(weir_call *c, int column, uint32_t group, int64_t v) { weir_put_i64_(&c->acc[column], group, v); }
static inline void weir_acc_set_f32(weir_call *c, int column, uint32_t group, float v) { weir_put_f32_(&c->acc[column], group, v); }
static inline void weir_acc_set_f64(weir_call *c, int column, uint32_t group, double v) { weir_put_f64_(&c->acc[column], group, v); }
static inline void weir_acc_set_text(weir_call *c, int column, uint32_t group, weir_text v) { weir_put_text_(&c->acc[column], group, v); }
static inline void weir_acc_set_null(weir_call *c, int column, uint32_t group) { weir_bit_set_(c->acc[column].validity, group, false); }

/* ---- errors and the host -------------------------------------------------------------------- */

/* This row (of a group map: this group) failed; the others stand. Rows fail in order, each once. */
static inline void weir_fail(weir_call *c, uint32_t row, const char *message) {
  if (c->errors_count && c->errors[c->errors_count - 1].row >= row) return;
  if (c->errors_count == c->errors_capacity) {
    uint32_t more = c->errors_capacity ? c->errors_capacity * 2 : 16;
    c->errors = (weir_row_error_ *)weir_grow_(c->errors, c->errors_capacity * sizeof *c->errors, more * sizeof *c->errors);
    c->errors_capacity = more;
  }
  size_t length = strlen(message);
  weir_row_error_ *error = &c->errors[c->errors_count++];
  error->row = row;
  error->message.length = (uint32_t)length;
  error->message.data = (uint8_t *)memcpy(weir_alloc(length), message, length);
}

/* The whole call can't be served, say because of a parameter: the pipeline fails with this message. */
static inline void weir_refuse(weir_call *c, const char *message) {
  size_t length = strlen(message);
  c->refused.data = (uint8_t *)memcpy(weir_alloc(length), message, length);
  c->refused.length = (uint32_t)length;
  c->is_refused = true;
}

static inline void weir_log(weir_level level, const char *message) { weir_host_log_(level, message, strlen(message)); }
/* The batch's event time in microseconds; not a clock. */
static inline int64_t weir_now(void) { return weir_host_now_(); }
/* Seeded from the batch: a replay sees the same. */
static inline uint64_t weir_random(void) { return (uint64_t)weir_host_random_(); }

/* ---- the component's exports ---------------------------------------------------------------- */

static inline void weir_read_parameters_(weir_call *c, uint32_t index) {
  const weir_parameter *list = c->function->parameters;
  if (index < 64 && weir_parsed_[index]) { c->parameters = weir_parsed_[index]; return; }
  weir_value_ *values = (weir_value_ *)calloc(WEIR_FIELDS_MAX, sizeof *values);
  for (uint32_t i = 0; i < WEIR_FIELDS_MAX && list[i].name; i++) {
    struct { uint8_t given; weir_list_ text; } answer;
    weir_host_parameter_(list[i].name, strlen(list[i].name), &answer);
    char *text = (char *)calloc(answer.given ? answer.text.length + 1 : 1, 1); /* lasts as long as the instance */
    if (answer.given) memcpy(text, answer.text.data, answer.text.length);
    values[i].text.data = text;
    values[i].text.length = answer.given ? answer.text.length : 0;
    values[i].truth = strcmp(text, "true") == 0;
    if (weir_width_(list[i].type)) {
      values[i].i64 = strtoll(text, NULL, 10);
      values[i].i32 = (int32_t)values[i].i64;
      values[i].f64 = strtod(text, NULL);
    }
  }
  if (index < 64) weir_parsed_[index] = values;
  c->parameters = values;
}

/* A call of the function with that index, its output columns made for so many rows. */
static inline weir_call *weir_begin_(uint32_t index, weir_kind kind, uint32_t outputs) {
  weir_call *c = (weir_call *)weir_zeroed_(sizeof *c);
  if (index >= weir_functions_count_ || weir_functions_[index].kind != kind) {
    static const weir_function none = { 0 };
    c->function = &none;
    weir_refuse(c, "the component has no such function of this kind");
    return c;
  }
  c->function = &weir_functions_[index];
  weir_read_parameters_(c, index);
  c->capacity = outputs;
  for (uint32_t i = 0, n = weir_fields_(c->function->outputs); i < n; i++) {
    c->out[i].type = c->function->outputs[i].type;
    c->out[i].rows = outputs;
    weir_rows_(&c->out[i], 0, outputs);
  }
  c->parents = outputs ? (uint32_t *)weir_alloc(outputs * 4) : NULL;
  return c;
}

static inline void weir_input_(weir_call *c, const weir_field *fields, uint32_t rows, const weir_wire_ *columns, uint32_t count) {
  c->rows = rows;
  if (count != weir_fields_(fields)) weir_refuse(c, "malformed batch: not as many columns as the signature has");
  for (uint32_t i = 0; i < count && !c->is_refused; i++) {
    c->in[i].validity = columns[i].validity.length ? columns[i].validity.data : NULL;
    c->in[i].offsets = (const uint32_t *)columns[i].offsets.data;
    c->in[i].values = columns[i].values.data;
  }
}

static inline void weir_accumulators_(weir_call *c, uint32_t rows, const weir_wire_ *columns, uint32_t count) {
  const weir_field *fields = c->function->accumulator;
  c->count = rows;
  if (columns && count != weir_fields_(fields)) weir_refuse(c, "malformed batch: not as many accumulator columns as the signature has");
  for (uint32_t i = 0, n = weir_fields_(fields); i < n && !c->is_refused; i++) {
    weir_out_ *out = &c->acc[i];
    out->type = fields[i].type;
    out->rows = rows;
    weir_rows_(out, 0, rows);
    if (!columns) continue;
    if (weir_is_text_(out->type)) {
      const uint32_t *offsets = (const uint32_t *)columns[i].offsets.data;
      for (uint32_t row = 0; row < rows; row++) {
        out->texts[row].data = (const char *)columns[i].values.data + offsets[row];
        out->texts[row].length = offsets[row + 1] - offsets[row];
      }
    } else if (rows) {
      out->values = columns[i].values.data; /* ours to change */
    }
    if (out->validity) {
      weir_all_valid_(out);
      if (columns[i].validity.length) memcpy(out->validity, columns[i].validity.data, columns[i].validity.length);
    }
  }
}

static inline void weir_groups_(weir_call *c, const uint32_t *groups, uint32_t bytes) {
  c->groups = groups;
  if (bytes != c->rows * 4) weir_refuse(c, "malformed batch: not as many groups as rows");
  for (uint32_t row = 0; row < c->rows && !c->is_refused; row++) {
    if (groups[row] >= c->count) weir_refuse(c, "malformed batch: a row is of a group that there is not");
  }
}

static inline void weir_mask_(uint8_t *bits, uint32_t rows) {
  if (rows % 8) bits[rows / 8] = (uint8_t)(bits[rows / 8] & ((1u << (rows % 8)) - 1));
}

static inline weir_batch_ weir_batch_of_(weir_out_ *columns, const weir_field *fields, uint32_t rows) {
  weir_batch_ batch = { rows, NULL, weir_fields_(fields) };
  batch.columns = (weir_wire_ *)weir_zeroed_(batch.count * sizeof(weir_wire_));
  for (uint32_t i = 0; i < batch.count; i++) {
    weir_out_ *out = &columns[i];
    weir_wire_ *wire = &batch.columns[i];
    uint32_t width = weir_width_(out->type), bits = (rows + 7) / 8;
    if (out->validity && rows) {
      weir_mask_(out->validity, rows);
      wire->validity.data = out->validity;
      wire->validity.length = bits;
    }
    if (weir_is_text_(out->type)) {
      uint32_t *offsets = (uint32_t *)weir_alloc((rows + 1) * 4), total = 0;
      for (uint32_t row = 0; row < rows; row++) { offsets[row] = total; total += (uint32_t)out->texts[row].length; }
      offsets[rows] = total;
      uint8_t *values = (uint8_t *)weir_alloc(total);
      for (uint32_t row = 0; row < rows; row++) {
        if (out->texts[row].length) memcpy(values + offsets[row], out->texts[row].data, out->texts[row].length);
      }
      wire->offsets.data = (uint8_t *)offsets; wire->offsets.length = (rows + 1) * 4;
      wire->values.data = values; wire->values.length = total;
    } else {
      if (!width && rows) weir_mask_(out->values, rows);
      wire->values.data = out->values; wire->values.length = width ? rows * width : bits;
    }
  }
  return batch;
}

/* The result area: a tag, then words. */
static inline uint32_t *weir_result_(const weir_call *c) {
  uint32_t *result = (uint32_t *)weir_zeroed_(48);
  if (c->is_refused) { result[0] = 1; result[1] = (uint32_t)(uintptr_t)c->refused.data; result[2] = c->refused.length; }
  return result;
}
static inline uint32_t *weir_put_batch_(uint32_t *at, weir_batch_ b) { *at++ = b.rows; *at++ = (uint32_t)(uintptr_t)b.columns; *at++ = b.count; return at; }
static inline uint32_t *weir_put_list_(uint32_t *at, const void *data, uint32_t length) { *at++ = (uint32_t)(uintptr_t)data; *at++ = length; return at; }
static inline uint32_t *weir_put_errors_(uint32_t *at, const weir_call *c) { return weir_put_list_(at, c->errors, c->errors_count); }

#define WEIR_EXPORT_(interface, name) __attribute__((weak, export_name("weir:udf/" interface "@0.1.0#" name)))
#define WEIR_POST_(interface, name) __attribute__((weak, export_name("cabi_post_weir:udf/" interface "@0.1.0#" name)))

__attribute__((weak, export_name("cabi_realloc"))) void *weir_realloc_(void *old, size_t from, size_t align, size_t to) {
  (void)align;
  return weir_grow_(old, from, to);
}

typedef struct { weir_list_ name; uint8_t type, nullable; } weir_field_wire_;
typedef struct {
  weir_list_ name; uint8_t kind; weir_list_ doc, parameters, inputs, outputs, accumulator; uint8_t retractable;
} weir_signature_;

static inline weir_list_ weir_fields_wire_(const weir_field *fields) {
  uint32_t n = weir_fields_(fields);
  weir_field_wire_ *wire = (weir_field_wire_ *)weir_zeroed_(n * sizeof *wire);
  for (uint32_t i = 0; i < n; i++) {
    wire[i].name = weir_string_(fields[i].name);
    wire[i].type = (uint8_t)(fields[i].type & 0xff);
    wire[i].nullable = (fields[i].type & WEIR_NULLABLE) != 0;
  }
  weir_list_ list = { (uint8_t *)wire, n };
  return list;
}

/* An option aligned to 4 stands behind the type: its tag is at 12, not at 9. */
static inline weir_list_ weir_parameters_wire_(const weir_parameter *list) {
  uint32_t n = 0;
  while (n < WEIR_FIELDS_MAX && list[n].name) n++;
  uint32_t *wire = (uint32_t *)weir_zeroed_(n * 32);
  for (uint32_t i = 0; i < n; i++) {
    weir_list_ name = weir_string_(list[i].name), given = weir_string_(list[i].default_value), doc = weir_string_(list[i].doc);
    uint32_t *at = weir_put_list_(wire + i * 8, name.data, name.length);
    *at++ = (uint32_t)(list[i].type & 0xff);
    *at++ = list[i].default_value != NULL;
    at = weir_put_list_(at, given.data, given.length);
    weir_put_list_(at, doc.data, doc.length);
  }
  weir_list_ parameters = { (uint8_t *)wire, n };
  return parameters;
}

WEIR_EXPORT_("catalog", "functions") void *weir_catalog_(void) {
  weir_signature_ *all = (weir_signature_ *)weir_zeroed_(weir_functions_count_ * sizeof *all);
  for (uint32_t i = 0; i < weir_functions_count_; i++) {
    const weir_function *f = &weir_functions_[i];
    all[i].name = weir_string_(f->name);
    all[i].kind = (uint8_t)f->kind;
    all[i].doc = weir_string_(f->doc);
    all[i].parameters = weir_parameters_wire_(f->parameters);
    all[i].inputs = weir_fields_wire_(f->inputs);
    all[i].outputs = weir_fields_wire_(f->outputs);
    all[i].accumulator = weir_fields_wire_(f->accumulator);
    all[i].retractable = f->retract != NULL;
  }
  uint32_t *result = (uint32_t *)weir_alloc(8);
  weir_put_list_(result, all, weir_functions_count_);
  return result;
}
WEIR_POST_("catalog", "functions") void weir_catalog_post_(void *result) { (void)result; weir_reset_(); }

WEIR_EXPORT_("mapper", "map-batch") void *weir_map_batch_(uint32_t index, uint32_t rows, weir_wire_ *columns, uint32_t count) {
  weir_call *c = weir_begin_(index, WEIR_MAP, rows);
  if (!c->is_refused) weir_input_(c, c->function->inputs, rows, columns, count);
  if (!c->is_refused) c->function->call(c);
  uint32_t *result = weir_result_(c);
  if (!c->is_refused) weir_put_errors_(weir_put_batch_(result + 1, weir_batch_of_(c->out, c->function->outputs, rows)), c);
  return result;
}
WEIR_POST_("mapper", "map-batch") void weir_map_post_(void *result) { (void)result; weir_reset_(); }

WEIR_EXPORT_("filter", "filter-batch") void *weir_filter_batch_(uint32_t index, uint32_t rows, weir_wire_ *columns, uint32_t count) {
  weir_call *c = weir_begin_(index, WEIR_FILTER, 0);
  if (!c->is_refused) weir_input_(c, c->function->inputs, rows, columns, count);
  c->keep = (uint8_t *)weir_zeroed_((rows + 7) / 8);
  if (!c->is_refused) c->function->call(c);
  uint32_t *result = weir_result_(c);
  if (!c->is_refused) weir_put_errors_(weir_put_list_(result + 1, c->keep, (rows + 7) / 8), c);
  return result;
}
WEIR_POST_("filter", "filter-batch") void weir_filter_post_(void *result) { (void)result; weir_reset_(); }

static inline uint32_t *weir_put_emitted_(uint32_t *at, weir_call *c) {
  at = weir_put_batch_(at, weir_batch_of_(c->out, c->function->outputs, c->emitted));
  return weir_put_errors_(weir_put_list_(at, c->parents, c->emitted * 4), c);
}

WEIR_EXPORT_("flat-mapper", "flat-map-batch") void *weir_flat_map_batch_(uint32_t index, uint32_t rows, weir_wire_ *columns, uint32_t count) {
  weir_call *c = weir_begin_(index, WEIR_FLAT_MAP, rows);
  if (!c->is_refused) weir_input_(c, c->function->inputs, rows, columns, count);
  if (!c->is_refused) c->function->call(c);
  uint32_t *result = weir_result_(c);
  if (!c->is_refused) weir_put_emitted_(result + 1, c);
  return result;
}
WEIR_POST_("flat-mapper", "flat-map-batch") void weir_flat_map_post_(void *result) { (void)result; weir_reset_(); }

static inline void *weir_create_(uint32_t index, weir_kind kind, uint32_t count) {
  weir_call *c = weir_begin_(index, kind, 0);
  if (!c->is_refused) weir_accumulators_(c, count, NULL, 0);
  if (!c->is_refused && c->function->create) c->function->create(c);
  uint32_t *result = weir_result_(c);
  if (!c->is_refused) weir_put_batch_(result + 1, weir_batch_of_(c->acc, c->function->accumulator, count));
  return result;
}

typedef enum { WEIR_ACCUMULATE_, WEIR_RETRACT_, WEIR_MERGE_ } weir_fold_kind_;
static inline void *weir_fold_(uint32_t index, weir_fold_kind_ what, uint32_t held, weir_wire_ *accumulators, uint32_t held_columns,
                               uint32_t *groups, uint32_t groups_bytes, uint32_t rows, weir_wire_ *columns, uint32_t count) {
  weir_call *c = weir_begin_(index, WEIR_AGGREGATE, 0);
  if (!c->is_refused) weir_accumulators_(c, held, accumulators, held_columns);
  if (!c->is_refused) weir_input_(c, what == WEIR_MERGE_ ? c->function->accumulator : c->function->inputs, rows, columns, count);
  if (!c->is_refused) weir_groups_(c, groups, groups_bytes);
  if (!c->is_refused) {
    void (*call)(weir_call *) = what == WEIR_MERGE_ ? c->function->merge : what == WEIR_RETRACT_ ? c->function->retract : c->function->call;
    if (call) call(c); else weir_refuse(c, "the function can't do this");
  }
  uint32_t *result = weir_result_(c);
  if (!c->is_refused) {
    uint32_t *at = weir_put_batch_(result + 1, weir_batch_of_(c->acc, c->function->accumulator, held));
    if (what != WEIR_MERGE_) weir_put_errors_(at, c);
  }
  return result;
}

#define WEIR_FOLD_PARAMETERS_ uint32_t index, uint32_t held, weir_wire_ *accumulators, uint32_t held_columns, \
  uint32_t *groups, uint32_t groups_bytes, uint32_t rows, weir_wire_ *columns, uint32_t count
#define WEIR_FOLD_ARGUMENTS_ held, accumulators, held_columns, groups, groups_bytes, rows, columns, count

WEIR_EXPORT_("aggregate", "create") void *weir_aggregate_create_(uint32_t index, uint32_t count) { return weir_create_(index, WEIR_AGGREGATE, count); }
WEIR_POST_("aggregate", "create") void weir_aggregate_create_post_(void *result) { (void)result; weir_reset_(); }
WEIR_EXPORT_("aggregate", "accumulate") void *weir_accumulate_(WEIR_FOLD_PARAMETERS_) { return weir_fold_(index, WEIR_ACCUMULATE_, WEIR_FOLD_ARGUMENTS_); }
WEIR_POST_("aggregate", "accumulate") void weir_accumulate_post_(void *result) { (void)result; weir_reset_(); }
WEIR_EXPORT_("aggregate", "retract") void *weir_retract_(WEIR_FOLD_PARAMETERS_) { return weir_fold_(index, WEIR_RETRACT_, WEIR_FOLD_ARGUMENTS_); }
WEIR_POST_("aggregate", "retract") void weir_retract_post_(void *result) { (void)result; weir_reset_(); }
WEIR_EXPORT_("aggregate", "merge") void *weir_merge_(WEIR_FOLD_PARAMETERS_) { return weir_fold_(index, WEIR_MERGE_, WEIR_FOLD_ARGUMENTS_); }
WEIR_POST_("aggregate", "merge") void weir_merge_post_(void *result) { (void)result; weir_reset_(); }

WEIR_EXPORT_("aggregate", "finish") void *weir_finish_(uint32_t index, uint32_t held, weir_wire_ *accumulators, uint32_t held_columns) {
  weir_call *c = weir_begin_(index, WEIR_AGGREGATE, held);
  if (!c->is_refused) weir_accumulators_(c, held, accumulators, held_columns);
  if (!c->is_refused) c->function->finish(c);
  uint32_t *result = weir_result_(c);
  if (!c->is_refused) weir_put_batch_(result + 1, weir_batch_of_(c->out, c->function->outputs, held));
  return result;
}
WEIR_POST_("aggregate", "finish") void weir_finish_post_(void *result) { (void)result; weir_reset_(); }

WEIR_EXPORT_("stateful-mapper", "create") void *weir_stateful_create_(uint32_t index, uint32_t count) { return weir_create_(index, WEIR_STATEFUL_MAP, count); }
WEIR_POST_("stateful-mapper", "create") void weir_stateful_create_post_(void *result) { (void)result; weir_reset_(); }
WEIR_EXPORT_("stateful-mapper", "stateful-map-batch") void *weir_stateful_map_batch_(WEIR_FOLD_PARAMETERS_) {
  weir_call *c = weir_begin_(index, WEIR_STATEFUL_MAP, rows);
  if (!c->is_refused) weir_accumulators_(c, held, accumulators, held_columns);
  if (!c->is_refused) weir_input_(c, c->function->inputs, rows, columns, count);
  if (!c->is_refused) weir_groups_(c, groups, groups_bytes);
  if (!c->is_refused) c->function->call(c);
  uint32_t *result = weir_result_(c);
  if (!c->is_refused) weir_put_emitted_(weir_put_batch_(result + 1, weir_batch_of_(c->acc, c->function->accumulator, held)), c);
  return result;
}
WEIR_POST_("stateful-mapper", "stateful-map-batch") void weir_stateful_map_post_(void *result) { (void)result; weir_reset_(); }

WEIR_EXPORT_("group-mapper", "group-map-batch") void *weir_group_map_batch_(uint32_t index, uint32_t groups_count, uint32_t *groups, uint32_t groups_bytes,
                                                                           uint32_t rows, weir_wire_ *columns, uint32_t count) {
  weir_call *c = weir_begin_(index, WEIR_GROUP_MAP, groups_count);
  if (!c->is_refused) weir_input_(c, c->function->inputs, rows, columns, count);
  c->count = groups_count;
  if (!c->is_refused) weir_groups_(c, groups, groups_bytes);
  if (!c->is_refused) c->function->call(c);
  uint32_t *result = weir_result_(c);
  if (!c->is_refused) weir_put_emitted_(result + 1, c);
  return result;
}
WEIR_POST_("group-mapper", "group-map-batch") void weir_group_map_post_(void *result) { (void)result; weir_reset_(); }

#ifdef __cplusplus
}
#endif
#endif
