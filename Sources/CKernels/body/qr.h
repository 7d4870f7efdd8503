// Thin QR factors by Householder reflections, on the transpose, in which a column is contiguous.

// A dot product with lanes by i mod LANES, which are folded in halves.
INLINE T NAME(dot)(const T *x, const T *y, size_t n) {
  V sum = {0};
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) sum = fma(NAME(load)(x + i), NAME(load)(y + i), sum);
  if (i < n) sum = fma(NAME(load_some)(x + i, n - i), NAME(load_some)(y + i, n - i), sum);
  return NAME(fold_sum)(sum);
}

// scratch holds the transpose of a, whose row k becomes the vector v of the k-th reflection, then v.v / 2 of
// each, then the diagonal.
static void NAME(qr)(size_t rows, size_t columns, const T *a, T *q, T *r, T *scratch) {
  T *work = scratch, *half_norms = scratch + rows * columns, *diagonal = half_norms + rows;
  NAME(transpose)(a, rows, columns, work);
  for (size_t k = 0; k < columns; k++) {
    T *v = work + k * rows + k;
    size_t length = rows - k;
    T square = NAME(dot)(v, v, length), norm = __builtin_elementwise_sqrt(square);
    // The vector is v - alpha e with alpha = -sign(v0) |v|, which avoids cancellation; v.v / 2 = |v|^2 + |v|
    // |v0|.
    T alpha = v[0] > 0 ? -norm : norm;
    half_norms[k] = fma(norm, __builtin_elementwise_abs(v[0]), square);
    diagonal[k] = alpha;
    v[0] -= alpha;
    if (half_norms[k] == 0) continue;
    for (size_t j = k + 1; j < columns; j++) {
      T *x = work + j * rows + k;
      NAME(add_multiple)(-(NAME(dot)(v, x, length) / half_norms[k]), v, x, length);
    }
  }
  for (size_t i = 0; i < columns; i++) {
    T sign = diagonal[i] < 0 ? -1 : 1;
    for (size_t j = 0; j < columns; j++)
      r[i * columns + j] = j < i ? 0 : j == i ? sign * diagonal[i] : sign * work[j * rows + i];
  }
  // Row j of q's transpose is a unit vector after all reflections, from the last to the first.
  for (size_t j = 0; j < columns; j++) {
    T *x = q + j * rows;
    NAME(fill)(0, x, rows);
    x[j] = diagonal[j] < 0 ? -1 : 1;
    for (size_t k = columns; k-- > 0;) {
      if (k > j || half_norms[k] == 0) continue;  // a later reflection keeps the unit vector
      const T *v = work + k * rows + k;
      NAME(add_multiple)(-(NAME(dot)(v, x + k, rows - k) / half_norms[k]), v, x + k, rows - k);
    }
  }
  for (size_t i = 0; i < rows * columns; i++) work[i] = q[i];
  NAME(transpose)(work, columns, rows, q);
}
