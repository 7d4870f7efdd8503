// Triangular solves and LU factors. An element of a solution is one chain b - t0 x0 - t1 x1 - ... in the
// order in which the unknowns are found, and then a division. `W` columns at a time keep their chains in
// registers.

#define SOLVE_BLOCK 8

// Solves the triangle of a block, in registers if `rows` is a constant. Steps are in elements; they are
// negative if x is found from its end.
INLINE void NAME(solve_triangle)(const size_t rows, const size_t width, bool unit, const T *t,
                                 ptrdiff_t t_row, ptrdiff_t t_k, T *x, ptrdiff_t x_row) {
  V sum[SOLVE_BLOCK][2];
#pragma clang loop unroll(full)
  for (size_t u = 0; u < rows; u++)
#pragma clang loop unroll(full)
    for (size_t c = 0; c < width; c++)
      sum[u][c] = NAME(load)(x + (ptrdiff_t)u * x_row + (ptrdiff_t)(c * LANES));
#pragma clang loop unroll(full)
  for (size_t q = 0; q < rows; q++) {
    const V pivot = NAME(splat)(unit ? 1 : t[(ptrdiff_t)q * (t_row + t_k)]);
#pragma clang loop unroll(full)
    for (size_t c = 0; c < width; c++) sum[q][c] = unit ? -sum[q][c] : -(sum[q][c] / pivot);
#pragma clang loop unroll(full)
    for (size_t u = q + 1; u < rows; u++) {
      const V factor = NAME(splat)(t[(ptrdiff_t)u * t_row + (ptrdiff_t)q * t_k]);
#pragma clang loop unroll(full)
      for (size_t c = 0; c < width; c++) sum[u][c] = fma(factor, sum[q][c], sum[u][c]);
    }
  }
#pragma clang loop unroll(full)
  for (size_t u = 0; u < rows; u++)
#pragma clang loop unroll(full)
    for (size_t c = 0; c < width; c++)
      NAME(store)(x + (ptrdiff_t)u * x_row + (ptrdiff_t)(c * LANES), sum[u][c]);
}

// Solves for `width` vectors of columns. Meanwhile x holds the solution's negative, since the tile kernel
// adds. The bits of -(t * -x) are those of t * x.
static void NAME(solve_panel)(size_t width, bool falling, bool unit, size_t n, size_t columns, const T *t,
                              size_t t_row, size_t t_k, T *x) {
  const ptrdiff_t sign = falling ? -1 : 1;
  const size_t origin = falling ? n - 1 : 0;
  for (size_t s = 0; s < n; s += SOLVE_BLOCK) {
    size_t count = n - s < SOLVE_BLOCK ? n - s : SOLVE_BLOCK;
    const size_t first = falling ? origin - s : s;
    const T *row = t + first * t_row;
    // First, the products with earlier rows are subtracted from each row of the block.
    for (size_t start = 0; start < count; start += NAME(tile_rows)(width)) {
      size_t most = NAME(tile_rows)(width), rows = count - start < most ? count - start : most;
      if (s > 0) {
        // Tiles need rows in rising order of addresses.
        size_t top = falling ? first - start - (rows - 1) : first + start;
        NAME(tile)(rows, width, s, t + top * t_row + origin * t_k, (ptrdiff_t)t_row, sign * (ptrdiff_t)t_k,
                   x + origin * columns, sign * (ptrdiff_t)columns, x + top * columns, columns, true, NULL,
                   false);
      }
    }
    // Then the block's own triangle is solved.
    const T *corner = row + first * t_k;
    T *from = x + first * columns;
    const ptrdiff_t t_step = sign * (ptrdiff_t)t_row, k_step = sign * (ptrdiff_t)t_k;
    const ptrdiff_t x_step = sign * (ptrdiff_t)columns;
#define TRIANGLE(rows) \
  case rows: \
    if (width == 2) NAME(solve_triangle)(rows, 2, unit, corner, t_step, k_step, from, x_step); \
    else NAME(solve_triangle)(rows, 1, unit, corner, t_step, k_step, from, x_step); \
    break;
    switch (count) {
      TRIANGLE(1) TRIANGLE(2) TRIANGLE(3) TRIANGLE(4) TRIANGLE(5) TRIANGLE(6) TRIANGLE(7) TRIANGLE(8)
    }
#undef TRIANGLE
  }
  for (size_t i = 0; i < n; i++)
    for (size_t c = 0; c < width * LANES; c += LANES)
      NAME(store)(x + i * columns + c, -NAME(load)(x + i * columns + c));
}
#undef SOLVE_BLOCK

// Solves for fewer columns than LANES, with a matrix too large for the buffer below.
static void NAME(solve_rest)(bool falling, bool unit, size_t n, size_t columns, size_t rest, const T *t,
                             size_t t_row, size_t t_k, T *x) {
  for (size_t s = 0; s < n; s++) {
    const size_t i = falling ? n - 1 - s : s;
    for (size_t q = 0; q < s; q++) {
      const size_t j = falling ? n - 1 - q : q;
      for (size_t c = 0; c < rest; c++)
        x[i * columns + c] = fma(-t[i * t_row + j * t_k], x[j * columns + c], x[i * columns + c]);
    }
    for (size_t c = 0; c < rest; c++) x[i * columns + c] /= unit ? 1 : t[i * t_row + i * t_k];
  }
}

// Solves a panel of columns in a buffer if it fits there. The buffer's rows are adjacent, while rows that are
// a power of two apart would evict each other from the cache. A last panel has room for whole vectors there.
static void NAME(triangular_solve)(bool lower, bool t_t, bool unit, size_t n, size_t columns, const T *t,
                                   T *x) {
  const bool falling = lower == t_t;
  const size_t t_row = t_t ? 1 : n, t_k = t_t ? n : 1;
  T buffer[32768 / sizeof(T)];
  for (size_t c = 0; c < columns;) {
    size_t left = columns - c, width = left > LANES ? 2 : 1;
    size_t count = left < width * LANES ? left : width * LANES;
    if (n * width * LANES <= sizeof buffer / sizeof(T)) {
      for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < width * LANES; j += LANES)
          NAME(store)(buffer + i * width * LANES + j,
                      j + LANES <= count ? NAME(load)(x + i * columns + c + j)
                                         : NAME(load_some)(x + i * columns + c + j, count - j));
      NAME(solve_panel)(width, falling, unit, n, width * LANES, t, t_row, t_k, buffer);
      for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < width * LANES; j += LANES) {
          V v = NAME(load)(buffer + i * width * LANES + j);
          if (j + LANES <= count) NAME(store)(x + i * columns + c + j, v);
          else NAME(store_some)(x + i * columns + c + j, v, count - j);
        }
    } else if (left >= LANES) {
      width = left >= 2 * LANES ? 2 : 1, count = width * LANES;
      NAME(solve_panel)(width, falling, unit, n, columns, t, t_row, t_k, x + c);
    } else {
      NAME(solve_rest)(falling, unit, n, columns, left, t, t_row, t_k, x + c);
    }
    c += count;
  }
}

// Solves x P L U = y for x: a panel of rows is transposed, solved with U and then L, permuted and transposed
// back.
static void NAME(plu_solve)(size_t n, size_t rows, const T *factors, const int32_t *order, const T *y, T *x) {
  T panel[CK_PLU_SOLVE_MAX * 2 * LANES], ordered[CK_PLU_SOLVE_MAX * 2 * LANES];
  for (size_t r = 0; r < rows;) {
    const size_t left = rows - r, width = left > LANES ? 2 : 1, whole = width * LANES;
    const size_t count = left < whole ? left : whole;
    for (size_t j = 0; j < count; j += LANES)
      NAME(pack_transposed)(y + (r + j) * n, n, count - j < LANES ? count - j : LANES, n, panel + j, whole);
    NAME(solve_panel)(width, false, false, n, whole, factors, 1, n, panel);
    NAME(solve_panel)(width, true, true, n, whole, factors, 1, n, panel);
    for (size_t i = 0; i < n; i++)
      for (size_t j = 0; j < whole; j += LANES)
        NAME(store)(ordered + i * whole + j, NAME(load)(panel + (size_t)order[i] * whole + j));
    NAME(transpose)(ordered, n, whole, count == whole ? x + r * n : panel);
    if (count < whole) __builtin_memcpy(x + r * n, panel, count * n * sizeof(T));
    r += count;
  }
}

// Computes y + factor * x with one fma per element.
INLINE void NAME(add_multiple)(T factor, const T *x, T *y, size_t n) {
  size_t i = 0;
  for (; i + LANES <= n; i += LANES)
    NAME(store)(y + i, fma(NAME(splat)(factor), NAME(load)(x + i), NAME(load)(y + i)));
  for (; i < n; i++) y[i] = fma(factor, x[i], y[i]);
}

static int NAME(lu)(size_t n, T *a, int32_t *permutation) {
  int sign = 1;
  for (size_t i = 0; i < n; i++) permutation[i] = (int32_t)i;
  for (size_t k = 0; k < n; k++) {
    size_t pivot = k;
    T best = __builtin_elementwise_abs(a[k * n + k]);
    for (size_t i = k + 1; i < n; i++) {
      T size = __builtin_elementwise_abs(a[i * n + k]);
      if (size > best) best = size, pivot = i;
    }
    if (pivot != k) {
      for (size_t j = 0; j < n; j++) {
        T kept = a[k * n + j];
        a[k * n + j] = a[pivot * n + j];
        a[pivot * n + j] = kept;
      }
      int32_t kept = permutation[k];
      permutation[k] = permutation[pivot];
      permutation[pivot] = kept;
      sign = -sign;
    }
    if (a[k * n + k] == 0) continue;
    for (size_t i = k + 1; i < n; i++) {
      T factor = a[i * n + k] / a[k * n + k];
      a[i * n + k] = factor;
      NAME(add_multiple)(-factor, a + k * n + k + 1, a + i * n + k + 1, n - k - 1);
    }
  }
  return sign;
}
