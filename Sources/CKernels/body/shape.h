// Moving elements: transposes, gather, scatter.

// to[c][0 ..< LANES] = column c of the `rows` <= LANES rows at `from`, padded with zeros: whole vectors are written.
static void NAME(pack_transposed)(const T *from, size_t from_row, size_t rows, size_t columns, T *to, size_t to_row) {
  for (size_t c = 0; c < columns; c += LANES) {
    size_t count = columns - c < LANES ? columns - c : LANES;
    V v[LANES];
    if (rows == LANES && count == LANES) {
#pragma clang loop unroll(full)
      for (size_t r = 0; r < LANES; r++) v[r] = NAME(load)(from + r * from_row + c);
    } else if (count == LANES) {
      for (size_t r = 0; r < LANES; r++) v[r] = r < rows ? NAME(load)(from + r * from_row + c) : (V){0};
    } else {
      for (size_t r = 0; r < LANES; r++) v[r] = r < rows ? NAME(load_some)(from + r * from_row + c, count) : (V){0};
    }
    NAME(transpose_block)(v);
    if (count == LANES) {
#pragma clang loop unroll(full)
      for (size_t r = 0; r < LANES; r++) NAME(store)(to + (c + r) * to_row, v[r]);
    } else {
      for (size_t r = 0; r < count; r++) NAME(store)(to + (c + r) * to_row, v[r]);
    }
  }
}

static void NAME(transpose)(const T *x, size_t rows, size_t columns, T *y) {
  size_t whole_rows = rows / LANES * LANES;
  for (size_t r = 0; r < whole_rows; r += LANES) NAME(pack_transposed)(x + r * columns, columns, LANES, columns, y + r, rows);
  for (size_t c = 0; c < columns; c++)
    for (size_t r = whole_rows; r < rows; r++) y[c * rows + r] = x[r * columns + c];
}

static void NAME(gather)(const T *x, size_t outer, size_t length, size_t inner, const int32_t *index, size_t picks, T *y) {
  for (size_t o = 0; o < outer; o++)
    for (size_t j = 0; j < picks; j++) {
      const T *from = x + (o * length + (size_t)index[j]) * inner;
      T *to = y + (o * picks + j) * inner;
      if (inner == 1) *to = *from;
      else __builtin_memcpy(to, from, inner * sizeof(T));
    }
}

static void NAME(scatter_add)(const T *x, size_t outer, size_t length, size_t inner, const int32_t *index, size_t picks, T *y) {
  for (size_t o = 0; o < outer; o++)
    for (size_t j = 0; j < picks; j++) {
      const T *from = x + (o * picks + j) * inner;
      T *to = y + (o * length + (size_t)index[j]) * inner;
      for (size_t i = 0; i < inner; i++) to[i] += from[i];
    }
}
