// Transposes sixteen vectors of sixteen by exchanging halves, quarters, pairs and single lanes in turn.
#define EXCHANGE(step, ...) \
  for (int i = 0; i < 16; i++) \
    if (!(i & step)) { \
      V a = v[i], b = v[i + step]; \
      v[i] = __builtin_shufflevector(a, b, __VA_ARGS__); \
      v[i + step] = __builtin_shufflevector(b, a, EXCHANGE_BACK_##step); \
    }
#define EXCHANGE_BACK_8 24, 25, 26, 27, 28, 29, 30, 31, 8, 9, 10, 11, 12, 13, 14, 15
#define EXCHANGE_BACK_4 20, 21, 22, 23, 4, 5, 6, 7, 28, 29, 30, 31, 12, 13, 14, 15
#define EXCHANGE_BACK_2 18, 19, 2, 3, 22, 23, 6, 7, 26, 27, 10, 11, 30, 31, 14, 15
#define EXCHANGE_BACK_1 17, 1, 19, 3, 21, 5, 23, 7, 25, 9, 27, 11, 29, 13, 31, 15

INLINE void transpose_block_f32(V v[LANES]) {
#pragma clang loop unroll(full)
  EXCHANGE(8, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23)
#pragma clang loop unroll(full)
  EXCHANGE(4, 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27)
#pragma clang loop unroll(full)
  EXCHANGE(2, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29)
#pragma clang loop unroll(full)
  EXCHANGE(1, 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30)
}
#undef EXCHANGE
#undef EXCHANGE_BACK_8
#undef EXCHANGE_BACK_4
#undef EXCHANGE_BACK_2
#undef EXCHANGE_BACK_1

// Sums the lanes by halves: lane i adds lane i + 8, then i + 4, i + 2 and i + 1.
#define FOLD(v, combine) \
  v = combine(v, __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15)); \
  v = combine(v, __builtin_shufflevector(v, v, 4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7)); \
  v = combine(v, __builtin_shufflevector(v, v, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3)); \
  v = combine(v, __builtin_shufflevector(v, v, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1));

INLINE float fold_sum_f32(V v) {
#define SUM(a, b) a + b
  FOLD(v, SUM)
#undef SUM
  return v[0];
}

INLINE float fold_maximum_f32(V v) {
  FOLD(v, maximum_f32)
  return v[0];
}
#undef FOLD
