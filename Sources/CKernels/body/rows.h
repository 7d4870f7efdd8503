// Squared norms of gradients by row, and sums over rows with a factor each.

// Sums the squares of n numbers, in blocks of 1024 as in sum_rows.
INLINE double NAME(sum_of_squares)(const T *x, size_t n) {
  double total = 0;
  if (n < LANES) {
    for (size_t i = 0; i < n; i++) total += (double)x[i] * (double)x[i];
    return total;
  }
  for (size_t start = 0; start < n; start += 1024) {
    size_t end = n - start < 1024 ? n : start + 1024, i = start;
    V sum = {0};
    for (; i + LANES <= end; i += LANES) {
      V v = NAME(load)(x + i);
      sum = fma(v, v, sum);
    }
    if (i < end) {
      V v = NAME(load_some)(x + i, end - i);
      sum = fma(v, v, sum);
    }
    total += NAME(fold_sum)(sum);
  }
  return total;
}

static void NAME(square_rows)(const T *x, size_t rows, size_t columns, double *y) {
  for (size_t r = 0; r < rows; r++) y[r] += NAME(sum_of_squares)(x + r * columns, columns);
}

static void NAME(square_products)(
  const T *h, const T *d, size_t rows, size_t ins, size_t outs, double *y
) {
  for (size_t r = 0; r < rows; r++)
    y[r] += NAME(sum_of_squares)(h + r * ins, ins) * NAME(sum_of_squares)(d + r * outs, outs);
}

// A square block of rows and columns, one column a vector. Missing numbers are zero.
INLINE void NAME(load_columns)(const T *x, size_t rows, size_t width, size_t columns, V v[LANES]) {
  for (size_t r = 0; r < LANES; r++) {
    if (r >= rows) v[r] = (V){0};
    else if (columns == LANES) v[r] = NAME(load)(x + r * width);
    else v[r] = NAME(load_some)(x + r * width, columns);
  }
  NAME(transpose_block)(v);
}

// A lane holds a row. The squares of h come first, each at its place, so that their running sums can follow
// another order.
static void NAME(square_triangle)(
  bool lower, size_t n, const T *h, const T *d, const T *scale, const T *shift, const int32_t *order,
  size_t rows, double *y, T *scratch
) {
  const size_t blocks = (n + LANES - 1) / LANES;
  for (size_t r = 0; r < rows; r += LANES) {
    const size_t count = rows - r < LANES ? rows - r : LANES;
    V sum = {0}, total = {0}, a[LANES], b[LANES];
    for (size_t start = 0; start < n; start += LANES) {
      const size_t columns = n - start < LANES ? n - start : LANES;
      NAME(load_columns)(h + r * n + start, count, n, columns, a);
      for (size_t c = 0; c < columns; c++)
        NAME(store)(scratch + (order == NULL ? start + c : (size_t)order[start + c]) * LANES, a[c]);
    }
    for (size_t k = 0; k < blocks; k++) {
      const size_t start = (lower ? blocks - 1 - k : k) * LANES;
      const size_t columns = n - start < LANES ? n - start : LANES;
      NAME(load_columns)(d + r * n + start, count, n, columns, b);
      for (size_t i = 0; i < columns; i++) {
        const size_t c = lower ? columns - 1 - i : i;
        const V own = NAME(load)(scratch + (start + c) * LANES);
        total = fma(b[c] * b[c], sum, total);
        if (!lower) {
          const V diagonal = fma(
            own * b[c], NAME(splat)(scale[start + c]), NAME(splat)(shift == NULL ? 0 : shift[start + c]));
          total = fma(diagonal, diagonal, total);
        }
        sum = fma(own, own, sum);
      }
    }
    for (size_t i = 0; i < count; i++) y[r + i] += total[i];
  }
}

static void NAME(scale_rows)(const T *f, const T *x, size_t rows, size_t columns, T *y) {
  for (size_t r = 0; r < rows; r++, x += columns, y += columns) {
    size_t c = 0;
    for (; c + LANES <= columns; c += LANES) NAME(store)(y + c, f[r] * NAME(load)(x + c));
    for (; c < columns; c++) y[c] = f[r] * x[c];
  }
}

// Many rows of up to 64 numbers are seen as longer ones that fill whole vectors, with s and b repeated.
static void NAME(scale_columns)(bool inverse, size_t rows, size_t columns, const T *x, const T *s, const T *b,
                                T *y) {
  T more_s[64 * LANES], more_b[64 * LANES];
  size_t run = columns;
  if (rows > LANES && columns <= 64 && columns % LANES != 0)
    for (run = 0; run == 0 || run % LANES != 0; run += columns) {
      __builtin_memcpy(more_s + run, s, columns * sizeof(T));
      __builtin_memcpy(more_b + run, b, columns * sizeof(T));
    }
  if (run != columns) s = more_s, b = more_b;
  const size_t total = rows * columns;
  for (size_t e = 0; e < total; e += run)
    for (size_t c = 0; c < run && e + c < total; c += LANES) {
      const size_t row = run - c, left = total - e - c, most = row < left ? row : left;
      const size_t count = most < LANES ? most : LANES;
      const V scale = NAME(load_part)(s + c, count), shift = NAME(load_part)(b + c, count);
      const V v = NAME(load_part)(x + e + c, count);
      NAME(store_part)(y + e + c, inverse ? v * scale + shift : (v - shift) * scale, count);
    }
}

static void NAME(weighted_columns)(const T *f, const T *x, size_t rows, size_t columns, T *y) {
  size_t c = 0;
  for (; c + 2 * LANES <= columns; c += 2 * LANES) {
    V s0 = {0}, s1 = {0};
    for (size_t r = 0; r < rows; r++) {
      const T *p = x + r * columns + c;
      s0 = fma(NAME(splat)(f[r]), NAME(load)(p), s0);
      s1 = fma(NAME(splat)(f[r]), NAME(load)(p + LANES), s1);
    }
    NAME(store)(y + c, s0), NAME(store)(y + c + LANES, s1);
  }
  for (size_t i = c; i < columns; i++) y[i] = 0;
  for (size_t r = 0; r < rows; r++)
    for (size_t i = c; i < columns; i++) y[i] = fma(f[r], x[r * columns + i], y[i]);
}

static void NAME(add_noise)(double deviation, double scale, const double *noise, const T *x, size_t n, T *y) {
  for (size_t i = 0; i < n; i++) y[i] = (T)(scale * ((double)x[i] + deviation * noise[i]));
}
