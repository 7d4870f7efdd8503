// Chooses the instruction set at the first call and forwards every function to it.
#pragma STDC FP_CONTRACT OFF
#include "table.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

// The best set comes first.
static const ck_table *const tables[] = {
#if defined(__x86_64__)
  &ck_table_v4, &ck_table_v3,
#endif
  &ck_table_baseline,
};
enum { table_count = sizeof tables / sizeof *tables };

static bool supported(const ck_table *table) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (table == &ck_table_v4) return __builtin_cpu_supports("x86-64-v4");
  if (table == &ck_table_v3) return __builtin_cpu_supports("x86-64-v3");
#endif
  return table == &ck_table_baseline;
}

static const ck_table *named(const char *name) {
  for (int i = 0; i < table_count; i++)
    if (name != NULL && strcmp(tables[i]->name, name) == 0 && supported(tables[i])) return tables[i];
  return NULL;
}

static const ck_table *best(void) {
  for (int i = 0; i < table_count; i++)
    if (supported(tables[i])) return tables[i];
  return &ck_table_baseline;
}

static _Atomic(const ck_table *) chosen;

// Two threads may both be the first; they find the same answer.
static const ck_table *choose(void) {
  const ck_table *table = named(getenv("SWIFT_FLOWS_ISA"));
  if (table == NULL) table = best();
  atomic_store_explicit(&chosen, table, memory_order_release);
  return table;
}

static inline const ck_table *table(void) {
  const ck_table *known = atomic_load_explicit(&chosen, memory_order_acquire);
  return known != NULL ? known : choose();
}

const char *ck_instruction_set(void) {
  return table()->name;
}

bool ck_has_instruction_set(const char *name) {
  return named(name) != NULL;
}

bool ck_use_instruction_set(const char *name) {
  const ck_table *table = named(name);
  if (table != NULL) atomic_store_explicit(&chosen, table, memory_order_release);
  return table != NULL;
}

#define FORWARD(T, S, U) \
  void ck_unary_##S(ck_unary f, const T *x, T *y, size_t n) { \
    table()->unary_##S(f, x, y, n); \
  } \
  void ck_binary_##S(ck_binary f, const T *a, int a_step, const T *b, int b_step, T *y, size_t n) { \
    table()->binary_##S(f, a, a_step, b, b_step, y, n); \
  } \
  void ck_select_##S(const T *mask, int mask_step, const T *a, int a_step, const T *b, int b_step, T *y, size_t n) { \
    table()->select_##S(mask, mask_step, a, a_step, b, b_step, y, n); \
  } \
  void ck_fill_##S(T value, T *y, size_t n) { \
    table()->fill_##S(value, y, n); \
  } \
  void ck_sum_rows_##S(const T *x, size_t rows, size_t columns, T *y) { \
    table()->sum_rows_##S(x, rows, columns, y); \
  } \
  void ck_sum_columns_##S(const T *x, size_t rows, size_t columns, T *y) { \
    table()->sum_columns_##S(x, rows, columns, y); \
  } \
  void ck_max_rows_##S(const T *x, size_t rows, size_t columns, T *y) { \
    table()->max_rows_##S(x, rows, columns, y); \
  } \
  void ck_max_columns_##S(const T *x, size_t rows, size_t columns, T *y) { \
    table()->max_columns_##S(x, rows, columns, y); \
  } \
  void ck_cumsum_rows_##S(const T *x, size_t rows, size_t columns, bool reverse, T *y) { \
    table()->cumsum_rows_##S(x, rows, columns, reverse, y); \
  } \
  void ck_transpose_##S(const T *x, size_t rows, size_t columns, T *y) { \
    table()->transpose_##S(x, rows, columns, y); \
  } \
  void ck_gather_##S(const T *x, size_t outer, size_t length, size_t inner, const int32_t *index, size_t picks, T *y) { \
    table()->gather_##S(x, outer, length, inner, index, picks, y); \
  } \
  void ck_scatter_add_##S(const T *x, size_t outer, size_t length, size_t inner, const int32_t *index, size_t picks, T *y) { \
    table()->scatter_add_##S(x, outer, length, inner, index, picks, y); \
  } \
  size_t ck_gemm_scratch_##S(size_t m, size_t n, size_t k) { \
    return table()->gemm_scratch_##S(m, n, k); \
  } \
  void ck_gemm_##S(bool a_t, bool b_t, size_t m, size_t n, size_t k, const T *a, const T *b, const T *bias, \
                   ck_epilogue f, T *c, T *scratch) { \
    table()->gemm_##S(a_t, b_t, m, n, k, a, b, bias, f, c, scratch); \
  } \
  void ck_triangular_solve_##S(bool lower, bool t_t, bool unit, size_t n, size_t columns, const T *t, T *x) { \
    table()->triangular_solve_##S(lower, t_t, unit, n, columns, t, x); \
  } \
  void ck_plu_solve_##S(size_t n, size_t rows, const T *factors, const int32_t *order, const T *y, T *x) { \
    table()->plu_solve_##S(n, rows, factors, order, y, x); \
  } \
  int ck_lu_##S(size_t n, T *a, int32_t *permutation) { \
    return table()->lu_##S(n, a, permutation); \
  } \
  void ck_qr_##S(size_t rows, size_t columns, const T *a, T *q, T *r, T *scratch) { \
    table()->qr_##S(rows, columns, a, q, r, scratch); \
  } \
  void ck_uniform_##S(const U *bits, size_t n, T low, T high, T *y) { \
    table()->uniform_##S(bits, n, low, high, y); \
  } \
  void ck_affine_##S(ck_scale form, T parameter, bool inverse, size_t rows, size_t n, const T *x, const T *raw, T *y, \
                     T *log_scale) { \
    table()->affine_##S(form, parameter, inverse, rows, n, x, raw, y, log_scale); \
  } \
  void ck_affine_pullback_##S(ck_scale form, T parameter, bool inverse, size_t rows, size_t n, const T *g, const T *l, \
                              const T *x, const T *y, const T *log_scale, T *gx, T *graw) { \
    table()->affine_pullback_##S(form, parameter, inverse, rows, n, g, l, x, y, log_scale, gx, graw); \
  } \
  void ck_adam_##S(const ck_adam *a, size_t n, const T *g, const T *mean, const T *square, const T *weight, \
                   T *next_mean, T *next_square, T *step) { \
    table()->adam_##S(a, n, g, mean, square, weight, next_mean, next_square, step); \
  } \
  void ck_gemm_staircase_##S(bool a_t, bool b_t, size_t m, size_t n, size_t k, const T *a, const T *b, \
                             const ck_staircase *stairs, const T *bias, ck_epilogue f, T *c, T *scratch) { \
    table()->gemm_staircase_##S(a_t, b_t, m, n, k, a, b, stairs, bias, f, c, scratch); \
  } \
  void ck_dense_units_##S(size_t rows, size_t depth, size_t units, const T *known, const T *weight, size_t weight_row, \
                          const T *bias, ck_epilogue f, T *y) { \
    table()->dense_units_##S(rows, depth, units, known, weight, weight_row, bias, f, y); \
  } \
  void ck_spline_##S(const ck_spline *s, bool inverse, size_t n, const T *x, const T *raw, T *y, T *log_slope) { \
    table()->spline_##S(s, inverse, n, x, raw, y, log_slope); \
  } \
  void ck_spline_pullback_##S(const ck_spline *s, bool inverse, size_t n, const T *g, const T *l, const T *x, const T *raw, \
                              T *gx, T *graw) { \
    table()->spline_pullback_##S(s, inverse, n, g, l, x, raw, gx, graw); \
  }

FORWARD(float, f32, uint32_t)
FORWARD(double, f64, uint64_t)

void ck_convert_f32_f64(const float *x, double *y, size_t n) {
  table()->convert_f32_f64(x, y, n);
}

void ck_convert_f64_f32(const double *x, float *y, size_t n) {
  table()->convert_f64_f32(x, y, n);
}

void ck_threefry(uint32_t k0, uint32_t k1, uint32_t x0, uint32_t x1, uint32_t out[2]) {
  table()->threefry(k0, k1, x0, x1, out);
}

void ck_threefry_bits32(uint32_t k0, uint32_t k1, uint64_t first, size_t n, uint32_t *y) {
  table()->threefry_bits32(k0, k1, first, n, y);
}

void ck_threefry_bits64(uint32_t k0, uint32_t k1, uint64_t first, size_t n, uint64_t *y) {
  table()->threefry_bits64(k0, k1, first, n, y);
}
