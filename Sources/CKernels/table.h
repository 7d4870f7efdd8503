// The table of an instruction set: a pointer to each function of CKernels.h.
#ifndef CK_TABLE_H
#define CK_TABLE_H

#include "CKernels.h"

#define INLINE static inline __attribute__((always_inline))
#ifndef INFINITY
#define INFINITY __builtin_inff()
#define NAN __builtin_nanf("")
#endif

#define CK_FUNCTIONS_OF(X, S) \
  X(unary_##S) X(binary_##S) X(select_##S) X(fill_##S) X(sum_rows_##S) X(sum_columns_##S) X(max_rows_##S) \
  X(max_columns_##S) X(cumsum_rows_##S) X(transpose_##S) X(gather_##S) X(scatter_add_##S) X(gemm_scratch_##S) \
  X(gemm_##S) X(triangular_solve_##S) X(plu_solve_##S) X(lu_##S) X(qr_##S) X(uniform_##S) \
  X(affine_##S) X(affine_pullback_##S) X(adam_##S) X(gemm_staircase_##S) X(dense_units_##S) X(spline_##S) X(spline_pullback_##S)
#define CK_FUNCTIONS(X) \
  CK_FUNCTIONS_OF(X, f32) CK_FUNCTIONS_OF(X, f64) \
  X(convert_f32_f64) X(convert_f64_f32) X(threefry) X(threefry_bits32) X(threefry_bits64)

typedef struct ck_table {
  const char *name;
#define FIELD(function) __typeof__(&ck_##function) function;
  CK_FUNCTIONS(FIELD)
#undef FIELD
} ck_table;

extern const ck_table ck_table_baseline;
#if defined(__x86_64__)
extern const ck_table ck_table_v3, ck_table_v4;
#endif

/// Reduces x >= 0 by quarter turns to |result| <= pi/4. `quadrant` receives their number mod 4. Infinity
/// gives NaN.
double ck_reduce_large(double x, unsigned *quadrant);

#endif
