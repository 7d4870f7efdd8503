// The table of one instruction set: a pointer to each kernel of CKernels.h.
#ifndef CK_TABLE_H
#define CK_TABLE_H

#include "CKernels.h"

#define INLINE static inline __attribute__((always_inline))
#ifndef INFINITY
#define INFINITY __builtin_inff()
#define NAN __builtin_nanf("")
#endif

#define CK_OTHERS(X) X(convert_f32_f64) X(convert_f64_f32) X(threefry) X(threefry_bits32) X(threefry_bits64) \
  X(chacha) X(gaussians)

typedef struct ck_table {
  const char *name;
#define FIELD(result, name, parameters, arguments) result (*name##_f32) parameters;
  CK_KERNELS(FIELD, float, float, uint32_t)
#undef FIELD
#define FIELD(result, name, parameters, arguments) result (*name##_f64) parameters;
  CK_KERNELS(FIELD, double, double, uint64_t)
#undef FIELD
#define FIELD(function) __typeof__(&ck_##function) function;
  CK_OTHERS(FIELD)
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
