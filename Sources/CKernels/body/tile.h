// The inner kernel of products: a tile of c in registers, `rows` by `width` vectors. Each element is one
// chain of fma. The chain starts at zero, or at c if `resume`. The result is c, or f(c + bias) with a bias,
// where f is relu or the identity. Steps are in elements. TILE_ROWS_w is the largest number of rows whose
// tile of w vectors fits in the registers.
INLINE void NAME(tile_body)(const size_t rows, const size_t width, size_t k, const T *a, ptrdiff_t a_row,
                            ptrdiff_t a_k, const T *b, ptrdiff_t b_k, T *c, size_t c_row, bool resume,
                            const T *bias, bool relu) {
  V sum[14][4];
#pragma clang loop unroll(full)
  for (size_t i = 0; i < rows; i++)
#pragma clang loop unroll(full)
    for (size_t j = 0; j < width; j++) sum[i][j] = resume ? NAME(load)(c + i * c_row + j * LANES) : (V){0};
#pragma clang loop unroll(disable)
  for (size_t p = 0; p < k; p++) {
    V right[4];
#pragma clang loop unroll(full)
    for (size_t j = 0; j < width; j++) right[j] = NAME(load)(b + j * LANES);
#pragma clang loop unroll(full)
    for (size_t i = 0; i < rows; i++) {
      V left = NAME(splat)(a[(ptrdiff_t)i * a_row]);
#pragma clang loop unroll(full)
      for (size_t j = 0; j < width; j++) sum[i][j] = fma(left, right[j], sum[i][j]);
    }
    a += a_k;
    b += b_k;
  }
  if (bias != NULL) {
#pragma clang loop unroll(full)
    for (size_t j = 0; j < width; j++) {
      const V offset = NAME(load)(bias + j * LANES);
#pragma clang loop unroll(full)
      for (size_t i = 0; i < rows; i++) sum[i][j] = sum[i][j] + offset;
    }
    if (relu) {
#pragma clang loop unroll(full)
      for (size_t i = 0; i < rows; i++)
#pragma clang loop unroll(full)
        for (size_t j = 0; j < width; j++) sum[i][j] = NAME(relu)(sum[i][j]);
    }
  }
#pragma clang loop unroll(full)
  for (size_t i = 0; i < rows; i++)
#pragma clang loop unroll(full)
    for (size_t j = 0; j < width; j++) NAME(store)(c + i * c_row + j * LANES, sum[i][j]);
}

#define TILE(rows, width, most) \
  case rows: \
    if (rows <= most) { \
      NAME(tile_body)(rows, width, k, a, a_row, a_k, b, b_k, c, c_row, resume, bias, relu); \
    } \
    break;
#define TILES(width, most) \
  static void NAME(tile_##width)(size_t rows, size_t k, const T *a, ptrdiff_t a_row, ptrdiff_t a_k, \
                                 const T *b, ptrdiff_t b_k, T *c, size_t c_row, bool resume, const T *bias, \
                                 bool relu) { \
    switch (rows) { \
      TILE(1, width, most) TILE(2, width, most) TILE(3, width, most) TILE(4, width, most) \
      TILE(5, width, most) TILE(6, width, most) TILE(7, width, most) TILE(8, width, most) \
      TILE(9, width, most) TILE(10, width, most) TILE(11, width, most) TILE(12, width, most) \
      TILE(13, width, most) TILE(14, width, most) \
    } \
  }
TILES(1, TILE_ROWS_1)
TILES(2, TILE_ROWS_2)
TILES(4, TILE_ROWS_4)
#undef TILE
#undef TILES

INLINE void NAME(tile)(size_t rows, size_t width, size_t k, const T *a, ptrdiff_t a_row, ptrdiff_t a_k,
                       const T *b, ptrdiff_t b_k, T *c, size_t c_row, bool resume, const T *bias, bool relu) {
  if (width == 4) NAME(tile_4)(rows, k, a, a_row, a_k, b, b_k, c, c_row, resume, bias, relu);
  else if (width == 2) NAME(tile_2)(rows, k, a, a_row, a_k, b, b_k, c, c_row, resume, bias, relu);
  else NAME(tile_1)(rows, k, a, a_row, a_k, b, b_k, c, c_row, resume, bias, relu);
}

INLINE size_t NAME(tile_rows)(size_t width) {
  return width == 4 ? TILE_ROWS_4 : width == 2 ? TILE_ROWS_2 : TILE_ROWS_1;
}

// The widest tile with a number of rows, of at most `width` vectors.
INLINE size_t NAME(tile_width)(size_t rows, size_t vectors) {
  if (vectors >= 4 && (rows <= TILE_ROWS_4 || MAIN_WIDTH == 4)) return 4;
  if (vectors >= 2 && (rows <= TILE_ROWS_2 || MAIN_WIDTH >= 2)) return 2;
  return 1;
}
