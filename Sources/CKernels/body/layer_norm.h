// Layer normalization of rows. The sums have the order of sum_rows.
// The sum of (x - shift)^power over a row, for the powers 1 and 2.
INLINE T NAME(moment)(int power, size_t n, T shift, const T *x) {
  double total = 0;
  for (size_t start = 0; start < n; start += 1024) {
    const size_t end = n - start < 1024 ? n : start + 1024;
    size_t c = start;
    V sum = {0};
    for (; c + LANES <= end; c += LANES) {
      const V v = NAME(load)(x + c) - shift;
      sum += power == 1 ? v : v * v;
    }
    if (c < end) {
      T lanes[LANES] = {0};
      for (size_t i = 0; i < end - c; i++) lanes[i] = x[c + i] - shift;
      const V v = NAME(load)(lanes);
      sum += power == 1 ? v : v * v;
    }
    total += NAME(fold_sum)(sum);
  }
  return (T)total;
}

// The mean of a row, and 1 / sqrt(variance + epsilon).
INLINE T NAME(standard)(size_t n, T epsilon, const T *x, T *factor) {
  const T mean = NAME(moment)(1, n, 0, x) / (T)n;
  *factor = 1 / __builtin_elementwise_sqrt(NAME(moment)(2, n, mean, x) / (T)n + epsilon);
  return mean;
}

static void NAME(layer_norm)(size_t rows, size_t n, T epsilon, const T *x, const T *gain, const T *bias,
                             T *y) {
  for (size_t r = 0; r < rows; r++, x += n, y += n) {
    T factor;
    const T mean = NAME(standard)(n, epsilon, x, &factor);
    for (size_t c = 0; c < n; c += LANES) {
      const size_t count = n - c < LANES ? n - c : LANES;
      const V z = (NAME(load_part)(x + c, count) - mean) * factor;
      NAME(store_part)(y + c, z * NAME(load_part)(gain + c, count) + NAME(load_part)(bias + c, count), count);
    }
  }
}

// With z the standardized row and h = g gain: gx = (h - mean of h - z mean of h z) / deviation.
static void NAME(layer_norm_pullback)(size_t rows, size_t n, T epsilon, const T *g, const T *x, const T *gain,
                                      T *gx, T *ggain, T *gbias) {
  NAME(fill)(0, ggain, n), NAME(fill)(0, gbias, n);
  for (size_t r = 0; r < rows; r++, g += n, x += n, gx += n) {
    T factor;
    const T mean = NAME(standard)(n, epsilon, x, &factor);
    V sum = {0}, product = {0};
    for (size_t c = 0; c < n; c += LANES) {
      const size_t count = n - c < LANES ? n - c : LANES;
      const V z = (NAME(load_part)(x + c, count) - mean) * factor, own = NAME(load_part)(g + c, count);
      const V h = own * NAME(load_part)(gain + c, count);
      sum += h, product = fma(h, z, product);
      NAME(store_part)(ggain + c, fma(own, z, NAME(load_part)(ggain + c, count)), count);
      NAME(store_part)(gbias + c, own + NAME(load_part)(gbias + c, count), count);
    }
    const T level = NAME(fold_sum)(sum) / (T)n, slope = NAME(fold_sum)(product) / (T)n;
    for (size_t c = 0; c < n; c += LANES) {
      const size_t count = n - c < LANES ? n - c : LANES;
      const V z = (NAME(load_part)(x + c, count) - mean) * factor;
      const V h = NAME(load_part)(g + c, count) * NAME(load_part)(gain + c, count);
      NAME(store_part)(gx + c, (h - level - z * slope) * factor, count);
    }
  }
}
