// The mean of points x_j weighted by a Gaussian kernel around y: with l_j = -|y - rate x_j|^2 / 2, the
// weights are exp(l_j) / sum_j exp(l_j). LANES rows run side by side, one per lane. Points are taken in
// blocks, each with sums of its own, and the largest l so far is subtracted in exponents.

#define KERNEL_BLOCK 128
// The size of an l that counts as none, so that no difference of two is infinite.
#define KERNEL_NONE ((T)0x1p126f)

// e^x for x <= 0; 0 where it would be subnormal.
INLINE V NAME(exp_falling)(V x) {
  const V low = NAME(splat)(-(T)(EXPONENT_BIAS - 1) * (T)0.6931471805599453);
  const I none = x < low;
  I n;
  const V p = NAME(exp_parts)(NAME(choose)(none, low, x), &n);
  const V power = NAME(power_of_two)(n);
  return NAME(choose)(none, (V){0}, fma(power, p, power));
}

// Stores l for `count` points from x on, and returns the largest.
INLINE V NAME(kernel_distances)(size_t columns, size_t count, const T *y, V rate, const T *x, V *l) {
  V best = NAME(splat)(-KERNEL_NONE);
  size_t j = 0;
#define DISTANCES(width) \
  for (; j + width <= count; j += width) { \
    V sum[width]; \
    for (int i = 0; i < width; i++) sum[i] = (V){0}; \
    for (size_t c = 0; c < columns; c++) { \
      const V own = NAME(load)(y + c * LANES); \
      _Pragma("clang loop unroll(full)") for (int i = 0; i < width; i++) { \
        const V difference = fma(-rate, NAME(splat)(x[(j + i) * columns + c]), own); \
        sum[i] = fma(difference, difference, sum[i]); \
      } \
    } \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < width; i++) { \
      const V half = (T)-0.5 * sum[i]; \
      l[j + i] = NAME(choose)(half < -KERNEL_NONE, NAME(splat)(-KERNEL_NONE), half); \
      best = NAME(maximum)(best, l[j + i]); \
    } \
  }
  DISTANCES(4)
  DISTANCES(1)
#undef DISTANCES
  return best;
}

// Adds the weighted sum of `width` columns of a block to the totals, which are scaled first. Even and odd
// points have sums of their own.
#define ADD_COLUMNS(width) \
  for (; c + width <= columns; c += width) { \
    V even[width], odd[width]; \
    for (int i = 0; i < width; i++) even[i] = odd[i] = (V){0}; \
    size_t j = 0; \
    for (; j + 2 <= count; j += 2) { \
      const T *const a = x + j * columns + c, *const b = a + columns; \
      _Pragma("clang loop unroll(full)") for (int i = 0; i < width; i++) { \
        even[i] = fma(weight[j], NAME(splat)(a[i]), even[i]); \
        odd[i] = fma(weight[j + 1], NAME(splat)(b[i]), odd[i]); \
      } \
    } \
    if (j < count) \
      for (int i = 0; i < width; i++) \
        even[i] = fma(weight[j], NAME(splat)(x[j * columns + c + i]), even[i]); \
    for (int i = 0; i < width; i++) { \
      T *const p = total + (c + i) * LANES; \
      NAME(store)(p, fma(NAME(load)(p), fall, even[i] + odd[i])); \
    } \
  }

INLINE void NAME(kernel_columns)(size_t columns, size_t count, const V *weight, const T *x, V fall,
                                 T *total) {
  size_t c = 0;
  ADD_COLUMNS(4)
  ADD_COLUMNS(2)
  ADD_COLUMNS(1)
}
#undef ADD_COLUMNS

static void NAME(kernel_mean)(size_t rows, size_t columns, size_t count, const T *y, const T *rate,
                              const T *x, T *mean, T *log_sum, T *square, T *scratch) {
  T *const own = scratch, *const total = scratch + columns * LANES;
  for (size_t e = 0; e < rows; e += LANES) {
    const size_t live = rows - e < LANES ? rows - e : LANES;
    NAME(pack_transposed)(y + e * columns, columns, live, columns, own, LANES);
    const V r = NAME(load_part)(rate + e, live);
    for (size_t i = 0; i < columns; i++) NAME(store)(total + i * LANES, (V){0});
    V top = NAME(splat)(-KERNEL_NONE), sum = {0}, distance = {0};
    for (size_t start = 0; start < count; start += KERNEL_BLOCK) {
      const size_t n = count - start < KERNEL_BLOCK ? count - start : KERNEL_BLOCK;
      const T *const points = x + start * columns;
      V l[KERNEL_BLOCK];
      V next = NAME(maximum)(top, NAME(kernel_distances)(columns, n, own, r, points, l));
      // Where no point is within reach, all weights are 0.
      next = NAME(choose)(next < -KERNEL_NONE / 2, NAME(splat)(-KERNEL_NONE / 2), next);
      const V fall = NAME(exp_falling)(NAME(choose)(top < next, top - next, (V){0}));
      V block_sum = {0}, block_distance = {0};
      for (size_t j = 0; j < n; j++) {
        const V weight = NAME(exp_falling)(l[j] - next);
        block_sum += weight;
        block_distance = fma(weight, l[j], block_distance);
        l[j] = weight;
      }
      sum = fma(sum, fall, block_sum);
      distance = fma(distance, fall, block_distance);
      NAME(kernel_columns)(columns, n, l, points, fall, total);
      top = next;
    }
    NAME(store_part)(log_sum + e, top + NAME(log)(sum), live);
    NAME(store_part)(square + e, -2 * distance / sum, live);
    for (size_t i = 0; i < columns; i++) {
      const V m = NAME(load)(total + i * LANES) / sum;
      for (size_t lane = 0; lane < live; lane++) mean[(e + lane) * columns + i] = m[lane];
    }
  }
}
#undef KERNEL_NONE
#undef KERNEL_BLOCK
