// Kernels that move elements: transpose, gather and scatter.

// to[c][r] = from[r][c] for `rows` <= LANES rows. Whole vectors are written; beyond `rows` they hold copies
// of the last row.
static void NAME(pack_transposed)(const T *from, size_t from_row, size_t rows, size_t columns, T *to,
                                  size_t to_row) {
  if (columns < LANES) {
    for (size_t c = 0; c < columns; c++)
      for (size_t r = 0; r < LANES; r++) to[c * to_row + r] = from[(r < rows ? r : rows - 1) * from_row + c];
    return;
  }
  for (size_t done = 0; done < columns; done += LANES) {
    size_t c = done + LANES <= columns ? done : columns - LANES;  // the last block overlaps the previous one
    V v[LANES];
#pragma clang loop unroll(full)
    for (size_t r = 0; r < LANES; r++) v[r] = NAME(load)(from + (r < rows ? r : rows - 1) * from_row + c);
    NAME(transpose_block)(v);
#pragma clang loop unroll(full)
    for (size_t r = 0; r < LANES; r++) NAME(store)(to + (c + r) * to_row, v[r]);
  }
}

static void NAME(transpose)(const T *x, size_t rows, size_t columns, T *y) {
  if (rows < LANES || columns < LANES) {
    for (size_t c = 0; c < columns; c++)
      for (size_t r = 0; r < rows; r++) y[c * rows + r] = x[r * columns + c];
    return;
  }
  for (size_t done = 0; done < rows; done += LANES) {
    size_t r = done + LANES <= rows ? done : rows - LANES;
    NAME(pack_transposed)(x + r * columns, columns, LANES, columns, y + r, rows);
  }
}

// Moves a row of `size` to 2 `size` numbers as two runs that may overlap, so that no run needs a loop.
#define MOVE(size) \
  if (columns <= 2 * (size)) { \
    for (size_t r = 0; r < rows; r++, x += x_row, y += y_row) { \
      T head[size], tail[size]; \
      __builtin_memcpy(head, x, sizeof head), __builtin_memcpy(tail, x + columns - (size), sizeof tail); \
      __builtin_memcpy(y, head, sizeof head), __builtin_memcpy(y + columns - (size), tail, sizeof tail); \
    } \
    return; \
  }

static void NAME(copy_rows)(size_t rows, size_t columns, const T *x, size_t x_row, T *y, size_t y_row) {
  if (columns == 0) return;
  if (columns == 1) {
    for (size_t r = 0; r < rows; r++) y[r * y_row] = x[r * x_row];
    return;
  }
  MOVE(2) MOVE(4) MOVE(8) MOVE(16)
  for (size_t r = 0; r < rows; r++) __builtin_memcpy(y + r * y_row, x + r * x_row, columns * sizeof(T));
}
#undef MOVE

// Reverses a row of `size` to 2 `size` numbers as two runs that may overlap.
#define REVERSE(size, ...) \
  if (columns <= 2 * (size)) { \
    typedef T run __attribute__((vector_size((size) * sizeof(T)))); \
    for (size_t r = 0; r < rows; r++, x += x_row, y += columns) { \
      run head, tail; \
      __builtin_memcpy(&head, x, sizeof head), __builtin_memcpy(&tail, x + columns - (size), sizeof tail); \
      head = __builtin_shufflevector(head, head, __VA_ARGS__); \
      tail = __builtin_shufflevector(tail, tail, __VA_ARGS__); \
      __builtin_memcpy(y, &tail, sizeof tail), __builtin_memcpy(y + columns - (size), &head, sizeof head); \
    } \
    return; \
  }

static void NAME(reverse_rows)(size_t rows, size_t columns, const T *x, size_t x_row, T *y) {
  if (columns > 1) {
    REVERSE(2, 1, 0) REVERSE(4, 3, 2, 1, 0) REVERSE(8, 7, 6, 5, 4, 3, 2, 1, 0)
    REVERSE(16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
  }
  for (size_t r = 0; r < rows; r++)
    for (size_t c = 0; c < columns; c++) y[r * columns + c] = x[r * x_row + columns - 1 - c];
}
#undef REVERSE

static void NAME(gather)(const T *x, size_t outer, size_t length, size_t inner, const int32_t *index,
                         size_t picks, T *y) {
  for (size_t o = 0; o < outer; o++)
    for (size_t j = 0; j < picks; j++) {
      const T *from = x + (o * length + (size_t)index[j]) * inner;
      T *to = y + (o * picks + j) * inner;
      if (inner == 1) *to = *from;
      else __builtin_memcpy(to, from, inner * sizeof(T));
    }
}

static void NAME(scatter_add)(const T *x, size_t outer, size_t length, size_t inner, const int32_t *index,
                              size_t picks, T *y) {
  for (size_t o = 0; o < outer; o++)
    for (size_t j = 0; j < picks; j++) {
      const T *from = x + (o * picks + j) * inner;
      T *to = y + (o * length + (size_t)index[j]) * inner;
      for (size_t i = 0; i < inner; i++) to[i] += from[i];
    }
}
