// Transposes eight vectors of eight by exchanging halves, pairs and single lanes in turn.
#define EXCHANGE(step, ...) \
  for (int i = 0; i < 8; i++) \
    if (!(i & step)) { \
      V a = v[i], b = v[i + step]; \
      v[i] = __builtin_shufflevector(a, b, __VA_ARGS__); \
      v[i + step] = __builtin_shufflevector(b, a, EXCHANGE_BACK_##step); \
    }
#define EXCHANGE_BACK_4 12, 13, 14, 15, 4, 5, 6, 7
#define EXCHANGE_BACK_2 10, 11, 2, 3, 14, 15, 6, 7
#define EXCHANGE_BACK_1 9, 1, 11, 3, 13, 5, 15, 7

INLINE void transpose_block_f64(V v[LANES]) {
#pragma clang loop unroll(full)
  EXCHANGE(4, 0, 1, 2, 3, 8, 9, 10, 11)
#pragma clang loop unroll(full)
  EXCHANGE(2, 0, 1, 8, 9, 4, 5, 12, 13)
#pragma clang loop unroll(full)
  EXCHANGE(1, 0, 8, 2, 10, 4, 12, 6, 14)
}
#undef EXCHANGE
#undef EXCHANGE_BACK_4
#undef EXCHANGE_BACK_2
#undef EXCHANGE_BACK_1

// Sums the lanes by halves: lane i adds lane i + 4, then i + 2 and i + 1.
#define FOLD(v, combine) \
  v = combine(v, __builtin_shufflevector(v, v, 4, 5, 6, 7, 4, 5, 6, 7)); \
  v = combine(v, __builtin_shufflevector(v, v, 2, 3, 2, 3, 2, 3, 2, 3)); \
  v = combine(v, __builtin_shufflevector(v, v, 1, 1, 1, 1, 1, 1, 1, 1));

INLINE double fold_sum_f64(V v) {
#define SUM(a, b) a + b
  FOLD(v, SUM)
#undef SUM
  return v[0];
}

INLINE double fold_maximum_f64(V v) {
  FOLD(v, maximum_f64)
  return v[0];
}
#undef FOLD
