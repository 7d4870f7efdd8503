// Layer normalization of rows. The sums have the order of sum_rows.
INLINE T NAME(sum_of_row)(const T *x, size_t n) {
  T sum;
  NAME(sum_rows)(x, 1, n, &sum);
  return sum;
}

// Stores x minus its mean in `centred`, and returns 1 / sqrt(variance + epsilon).
static T NAME(standardize)(size_t n, T epsilon, const T *x, T *centred, T *squares) {
  const V mean = NAME(splat)(NAME(sum_of_row)(x, n) / (T)n);
  for (size_t c = 0; c < n; c += LANES) {
    const size_t count = n - c < LANES ? n - c : LANES;
    const V distance = NAME(load_part)(x + c, count) - mean;
    NAME(store_part)(centred + c, distance, count);
    NAME(store_part)(squares + c, distance * distance, count);
  }
  return 1 / __builtin_elementwise_sqrt(NAME(sum_of_row)(squares, n) / (T)n + epsilon);
}

static void NAME(layer_norm)(size_t rows, size_t n, T epsilon, const T *x, const T *gain, const T *bias, T *y,
                             T *scratch) {
  for (size_t r = 0; r < rows; r++, x += n, y += n) {
    const T factor = NAME(standardize)(n, epsilon, x, y, scratch);
    for (size_t c = 0; c < n; c += LANES) {
      const size_t count = n - c < LANES ? n - c : LANES;
      const V standard = NAME(load_part)(y + c, count) * factor;
      NAME(store_part)(y + c, standard * NAME(load_part)(gain + c, count) + NAME(load_part)(bias + c, count),
                       count);
    }
  }
}

// With z the standardized row and h = g gain: gx = (h - mean of h - z mean of h z) / deviation.
static void NAME(layer_norm_pullback)(size_t rows, size_t n, T epsilon, const T *g, const T *x, const T *gain,
                                      T *gx, T *ggain, T *gbias, T *scratch) {
  NAME(fill)(0, ggain, n), NAME(fill)(0, gbias, n);
  for (size_t r = 0; r < rows; r++, g += n, x += n, gx += n) {
    const T factor = NAME(standardize)(n, epsilon, x, scratch, gx);
    V sum = {0}, product = {0};
    for (size_t c = 0; c < n; c += LANES) {
      const size_t count = n - c < LANES ? n - c : LANES;
      const V z = NAME(load_part)(scratch + c, count) * factor, own = NAME(load_part)(g + c, count);
      const V h = own * NAME(load_part)(gain + c, count);
      sum += h, product = fma(h, z, product);
      NAME(store_part)(scratch + c, z, count);
      NAME(store_part)(gx + c, h, count);
      NAME(store_part)(ggain + c, fma(own, z, NAME(load_part)(ggain + c, count)), count);
      NAME(store_part)(gbias + c, own + NAME(load_part)(gbias + c, count), count);
    }
    const T mean = NAME(fold_sum)(sum) / (T)n, slope = NAME(fold_sum)(product) / (T)n;
    for (size_t c = 0; c < n; c += LANES) {
      const size_t count = n - c < LANES ? n - c : LANES;
      const V h = NAME(load_part)(gx + c, count), z = NAME(load_part)(scratch + c, count);
      NAME(store_part)(gx + c, (h - mean - z * slope) * factor, count);
    }
  }
}
