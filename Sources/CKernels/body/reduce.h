// Sums and maxima in an order that does not depend on the registers.

// Sums LANES rows shorter than a vector side by side, each with the folding of sum_rows.
INLINE void NAME(sum_short_rows)(const T *x, size_t columns, T *y) {
  V v[LANES];
#pragma clang loop unroll(full)
  for (size_t c = 0; c < LANES; c++) {
    v[c] = (V){0};
    if (c < columns)
      for (size_t r = 0; r < LANES; r++) v[c][r] += x[r * columns + c];
  }
#pragma clang loop unroll(full)
  for (int half = LANES / 2; half > 0; half /= 2)
#pragma clang loop unroll(full)
    for (int i = 0; i < half; i++) v[i] += v[i + half];
  NAME(store)(y, v[0]);
}

// A lane starts at +0 and never becomes -0, so padding with zeros changes nothing.
static void NAME(sum_rows)(const T *x, size_t rows, size_t columns, T *y) {
  size_t r = 0;
  if (columns < LANES)
    for (; r + LANES <= rows; r += LANES, x += LANES * columns) NAME(sum_short_rows)(x, columns, y + r);
  for (; r < rows; r++, x += columns) {
    double total = 0;
    for (size_t start = 0; start < columns; start += 1024) {
      size_t end = columns - start < 1024 ? columns : start + 1024, c = start;
      V sum = {0};
      for (; c + LANES <= end; c += LANES) sum += NAME(load)(x + c);
      if (c < end) sum += NAME(load_some)(x + c, end - c);
      total += NAME(fold_sum)(sum);
    }
    y[r] = (T)total;
  }
}

#define GROUP (4 * LANES)

// Sums up to 4 columns of a matrix whose rows are `row` apart, in registers.
INLINE void NAME(sum_few_columns)(const T *x, size_t rows, size_t row, const size_t count, T *y) {
  T sum[4] = {0};
  for (size_t r = 0; r < rows; r++, x += row)
    for (size_t i = 0; i < count; i++) sum[i] += x[i];
  for (size_t i = 0; i < count; i++) y[i] = sum[i];
}

static void NAME(sum_columns)(const T *x, size_t rows, size_t columns, T *y) {
  size_t c = 0;
  for (; c + GROUP <= columns; c += GROUP) {
    V s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};
    for (size_t r = 0; r < rows; r++) {
      const T *p = x + r * columns + c;
      s0 += NAME(load)(p), s1 += NAME(load)(p + LANES);
      s2 += NAME(load)(p + 2 * LANES), s3 += NAME(load)(p + 3 * LANES);
    }
    NAME(store)(y + c, s0), NAME(store)(y + c + LANES, s1);
    NAME(store)(y + c + 2 * LANES, s2), NAME(store)(y + c + 3 * LANES, s3);
  }
  for (; c + LANES <= columns; c += LANES) {
    V sum = {0};
    for (size_t r = 0; r < rows; r++) sum += NAME(load)(x + r * columns + c);
    NAME(store)(y + c, sum);
  }
  for (; c < columns; c += 4) {
    switch (columns - c) {
      case 1: NAME(sum_few_columns)(x + c, rows, columns, 1, y + c); break;
      case 2: NAME(sum_few_columns)(x + c, rows, columns, 2, y + c); break;
      case 3: NAME(sum_few_columns)(x + c, rows, columns, 3, y + c); break;
      default: NAME(sum_few_columns)(x + c, rows, columns, 4, y + c);
    }
  }
}
#undef GROUP

static void NAME(max_rows)(const T *x, size_t rows, size_t columns, T *y) {
  for (size_t r = 0; r < rows; r++, x += columns) {
    T top = -(T)INFINITY;
    if (columns < LANES) {
      for (size_t c = 0; c < columns; c++) top = top > x[c] || top != top ? top : x[c];
    } else {
      V best = NAME(load)(x + columns - LANES);  // may overlap the others, which is harmless for a maximum
      for (size_t c = 0; c + LANES <= columns; c += LANES) best = NAME(maximum)(best, NAME(load)(x + c));
      top = NAME(fold_maximum)(best);
    }
    y[r] = top;
  }
}

static void NAME(max_columns)(const T *x, size_t rows, size_t columns, T *y) {
  size_t whole = columns / LANES * LANES;
  for (size_t c = 0; c < whole; c += LANES) {
    V best = NAME(splat)(-(T)INFINITY);
    for (size_t r = 0; r < rows; r++) best = NAME(maximum)(best, NAME(load)(x + r * columns + c));
    NAME(store)(y + c, best);
  }
  for (size_t c = whole; c < columns; c++) {
    T top = -(T)INFINITY;
    for (size_t r = 0; r < rows; r++) top = top > x[r * columns + c] || top != top ? top : x[r * columns + c];
    y[c] = top;
  }
}

static void NAME(cumsum_rows)(const T *x, size_t rows, size_t columns, bool reverse, T *y) {
  for (size_t r = 0; r < rows; r++, x += columns, y += columns) {
    T sum = 0;
    if (reverse)
      for (size_t c = columns; c-- > 0;) y[c] = sum += x[c];
    else
      for (size_t c = 0; c < columns; c++) y[c] = sum += x[c];
  }
}
