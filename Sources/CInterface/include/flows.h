// The C interface of swift-flows: log-densities and draws of model files that `flow fit` has written.
//
//     char error[512];
//     flows_model *model = flows_open("model.safetensors", error, sizeof error);
//     if (!model) { fprintf(stderr, "%s\n", error); return 1; }
//     double rows[2 * 3] = {...}, result[2];
//     if (flows_log_pdf_f64(model, rows, 2, 3, NULL, 0, 0, result, error, sizeof error)) ...
//     flows_close(model);
//
// Rows are arrays in row-major order, in the data's units: `count` rows of `size` numbers. They are read
// where they are, without a copy, and must not change during a call. An address is a multiple of the size of
// its numbers.
//
// Calls on one model may run at the same time on several threads. A process that has called a function and
// then forks must not call one in the child.
//
// Results are those of `flow score` and `flow sample` to the bit.
//
// Functions that can fail take a buffer for a text, of `error_size` bytes with its final 0. The text is cut
// to fit, and is empty after success. The buffer may be NULL.
#ifndef FLOWS_H
#define FLOWS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// A model that is open. Once it is closed, other functions refuse it. For that a few bytes of it stay in
// memory. An address that `flows_open` has not given is not detected.
typedef struct flows_model flows_model;

// Results of functions that can fail.
enum {
  FLOWS_OK = 0,
  // A null pointer, a closed model, or sizes that do not fit the model.
  FLOWS_WRONG_CALL = 1,
  // The model cannot compute a result, such as draws that are not finite.
  FLOWS_FAILED = 2
};

// Opens a model file. Returns NULL, with a text in `error`, for a file that is not there, is damaged, or
// holds a model of a table of mixed columns.
flows_model *flows_open(const char *path, char *error, int64_t error_size);

// Closes a model. Calls that are under way end as if it were open.
int32_t flows_close(flows_model *model);

// The numbers of a row; -1 for a model that is not open.
int64_t flows_dimension(flows_model *model);

// The numbers of a context row, 0 for a model without a context; -1 for a model that is not open.
int64_t flows_context_dimension(flows_model *model);

// The bits of the numbers that the model computes with, 32 or 64; -1 for a model that is not open.
int32_t flows_dtype(flows_model *model);

// The log-density of each row in nats: `count` numbers to `result`.
//
// A row with NaN gets NaN, as does one so far away that the model's dtype has no number for it, and a row
// outside the support gets -infinity. `context` has one row for all or `count` rows, of `context_size`
// numbers each; NULL for a model without a context.
int32_t flows_log_pdf_f32(
  flows_model *model, const float *rows, int64_t count, int64_t size, const float *context,
  int64_t context_count, int64_t context_size, float *result, char *error, int64_t error_size);
int32_t flows_log_pdf_f64(
  flows_model *model, const double *rows, int64_t count, int64_t size, const double *context,
  int64_t context_count, int64_t context_size, double *result, char *error, int64_t error_size);

// Draws rows `first` to `first` + `count` - 1 of the endless sample of a key: `count` rows of `size` numbers
// to `result`. The sample of a key does not depend on how it is divided into calls.
//
// The key of `flow sample --seed S` has the upper and the lower 32 bits of S, as `jax.random.key` has.
// `context` has one row for all or `count` rows.
int32_t flows_sample_f32(
  flows_model *model, uint32_t key_high, uint32_t key_low, int64_t first, int64_t count, int64_t size,
  const float *context, int64_t context_count, int64_t context_size, float *result, char *error,
  int64_t error_size);
int32_t flows_sample_f64(
  flows_model *model, uint32_t key_high, uint32_t key_low, int64_t first, int64_t count, int64_t size,
  const double *context, int64_t context_count, int64_t context_size, double *result, char *error,
  int64_t error_size);

#ifdef __cplusplus
}
#endif

#endif
