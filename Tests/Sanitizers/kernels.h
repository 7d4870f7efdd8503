// Every kernel of one element type: T, the kernels' name TYPE for it, its unsigned twin BITS, NAME(name),
// which adds the type's suffix, and TEXT(name), the same as text.

// Ordinary numbers, and every seventh one an edge.
static T *NAME(any)(size_t n) {
  static const double edges[] = {
    0.0, -0.0, 1.0, -1.0, 1e-42, 5e-324, 88.8, -745.2, 131072.1, 1e30, -3.4e38, 1.7e308, __builtin_inf(),
    -__builtin_inf(), __builtin_nan(""),
  };
  T *const x = room(n, sizeof(T));
  for (size_t i = 0; i < n; i++) {
    const uint64_t drawn = next();
    const double number = 0x1p-50 * (double)((int64_t)drawn >> 11);
    x[i] = drawn % 7 == 0 ? (T)edges[drawn / 7 % (sizeof edges / sizeof *edges)] : (T)number;
  }
  return x;
}

// Numbers in (-1, 1).
static T *NAME(plain)(size_t n) {
  T *const x = room(n, sizeof(T));
  for (size_t i = 0; i < n; i++) x[i] = (T)(0x1p-52 * (double)((int64_t)next() >> 11));
  return x;
}

static T *NAME(out)(size_t n) { return room(n, sizeof(T)); }

#define ANY NAME(any)
#define PLAIN NAME(plain)
#define OUT NAME(out)
#define SIZES(n) for (size_t n = 0; n <= largest; n++)

static void NAME(elementwise)(void) {
  for (int f = CK_NEGATE; f <= CK_SIGMOID_SLOPE; f++) SIZES(n) {
    CASE(unary, (ck_function)f, ANY(n), OUT(n), n);
    T *const x = ANY(n);
    CASE(unary, (ck_function)f, x, x, n);
  }
  for (int f = CK_EXPM1; f <= CK_SIGMOID; f++) SIZES(n) {
    CASE(chain, (ck_function)f, ANY(n), ANY(n), ANY(n), OUT(n), n);
    T *const g = ANY(n);
    CASE(chain, (ck_function)f, g, ANY(n), ANY(n), g, n);
  }
  SIZES(n) CASE(chain, CK_GELU, ANY(n), ANY(n), ANY(n), OUT(n), n);
  for (int f = CK_ADD; f <= CK_D_ABS; f++)
    for (int steps = 0; steps < 4; steps++) SIZES(n) {
      const int a = steps & 1, b = steps >> 1;
      CASE(binary, (ck_operation)f, ANY(a ? n : 1), a, ANY(b ? n : 1), b, OUT(n), n);
    }
  for (int steps = 0; steps < 8; steps++) SIZES(n) {
    const int m = steps & 1, a = steps >> 1 & 1, b = steps >> 2;
    CASE(select, ANY(m ? n : 1), m, ANY(a ? n : 1), a, ANY(b ? n : 1), b, OUT(n), n);
  }
  SIZES(n) CASE(fill, (T)0.1, OUT(n), n);
}

static double *NAME(numbers)(size_t n) {
  double *const x = room(n, sizeof *x);
  for (size_t i = 0; i < n; i++) x[i] = 0.5;
  return x;
}

static int32_t *NAME(order)(size_t n) {
  int32_t *const x = room(n, sizeof *x);
  for (size_t i = 0; i < n; i++) x[i] = (int32_t)((i + 1) % n);
  return x;
}

static void NAME(rows_and_columns)(size_t rows, size_t n) {
  const size_t count = rows * n;
  CASE(square_rows, ANY(count), rows, n, NAME(numbers)(rows));
  CASE(square_products, ANY(count), ANY(rows * 5), rows, n, 5, NAME(numbers)(rows));
  for (int form = 0; form < 4; form++)
    CASE(square_triangle, form & 1, n, ANY(count), ANY(count), ANY(n), form & 2 ? ANY(n) : NULL,
         form & 2 ? NAME(order)(n) : NULL, rows, NAME(numbers)(rows), OUT(64 / sizeof(T) * n));
  CASE(scale_rows, ANY(rows), ANY(count), rows, n, OUT(count));
  for (int inverse = 0; inverse < 2; inverse++)
    CASE(scale_columns, inverse, rows, n, ANY(count), ANY(n), ANY(n), OUT(count));
  CASE(weighted_columns, ANY(rows), ANY(count), rows, n, OUT(n));
  CASE(add_noise, 2, 0.5, NAME(numbers)(count), ANY(count), count, OUT(count));
}

static void NAME(shapes)(void) {
  for (size_t rows = 0; rows <= largest; rows += rows < 9 ? 1 : 13) SIZES(columns) {
    CASE(sum_rows, ANY(rows * columns), rows, columns, OUT(rows));
    CASE(sum_columns, ANY(rows * columns), rows, columns, OUT(columns));
    CASE(max_rows, ANY(rows * columns), rows, columns, OUT(rows));
    CASE(max_columns, ANY(rows * columns), rows, columns, OUT(columns));
    CASE(cumsum_rows, ANY(rows * columns), rows, columns, columns % 2, OUT(rows * columns));
    CASE(transpose, ANY(rows * columns), rows, columns, OUT(rows * columns));
    // The last row ends where its columns do.
    const size_t apart = columns + 3, all = rows == 0 ? 0 : (rows - 1) * apart + columns;
    CASE(copy_rows, rows, columns, ANY(all), apart, OUT(rows * columns), columns);
    CASE(copy_rows, rows, columns, ANY(rows * columns), columns, OUT(all), apart);
    CASE(reverse_rows, rows, columns, ANY(all), apart, OUT(rows * columns));
    NAME(rows_and_columns)(rows, columns);
  }
  CASE(sum_rows, ANY(3 * 2100), 3, 2100, OUT(3));
  for (size_t inner = 0; inner < 20; inner++) SIZES(picks) {
    enum { outer = 2, length = 7 };
    int32_t *const index = room(picks, sizeof *index);
    for (size_t i = 0; i < picks; i++) index[i] = (int32_t)(next() % length);
    CASE(gather, ANY(outer * length * inner), outer, length, inner, index, picks, OUT(outer * picks * inner));
  }
  for (size_t inner = 0; inner < 20; inner++) SIZES(picks) {
    enum { outer = 2, length = 7 };
    int32_t *const index = room(picks, sizeof *index);
    for (size_t i = 0; i < picks; i++) index[i] = (int32_t)(next() % length);
    CASE(scatter_add, ANY(outer * picks * inner), outer, length, inner, index, picks,
         ANY(outer * length * inner));
  }
}

// The stairs of a matrix of this height and width.
static ck_staircase NAME(stairs)(size_t height, size_t width) {
  uint32_t *const limit = room(width, sizeof *limit), *const first = room(height, sizeof *first);
  for (size_t j = 0; j < width; j++) limit[j] = (uint32_t)((j + 1) * height / (width + 1));
  for (size_t i = 0; i < height; i++) {
    first[i] = 0;
    while (first[i] < width && limit[first[i]] <= i) first[i]++;
  }
  return (ck_staircase){limit, first, false};
}

static void NAME(product)(size_t m, size_t n, size_t k) {
  const size_t scratch = ck_gemm_scratch(TYPE, m, n, k);
  end(TEXT(gemm_scratch));
  for (int form = 0; form < 8; form++)
    CASE(gemm, form & 1, form >> 1 & 1, m, 0, m, n, k, PLAIN(m * k), PLAIN(k * n), form & 4 ? PLAIN(n) : NULL,
         (ck_epilogue)((m + n + k + (size_t)form) % 5), OUT(m * n), OUT(scratch));
  // What the stairs belong to: b, b as it is stored where it is transposed, and c. Then their transposes.
  for (int form = 0; form < 6; form++) {
    const bool is_b_t = form % 3 == 1, is_c = form % 3 == 2, is_lower = form >= 3;
    const size_t height = is_b_t ? n : is_c ? m : k, width = is_b_t ? k : n;
    ck_staircase stairs = NAME(stairs)(is_lower ? width : height, is_lower ? height : width);
    stairs.is_lower = is_lower;
    CASE(gemm_staircase, is_c, is_b_t, m, 0, m, n, k, PLAIN(m * k), PLAIN(k * n), &stairs, PLAIN(n),
         CK_RELU_EPILOGUE, OUT(m * n), OUT(scratch));
  }
  // The last row of the weights ends with its last unit.
  CASE(dense_units, m, k, n, PLAIN(k * m), PLAIN(k == 0 ? 0 : (k - 1) * (n + 3) + n), n + 3, PLAIN(n),
       CK_TANH_EPILOGUE, OUT(n * m));
}

static void NAME(products)(void) {
  SIZES(s) {
    NAME(product)(s, s, s);
    NAME(product)(s, largest - s, 7);
    NAME(product)(3, s, largest - s);
    NAME(product)(s, 1, s);
    NAME(product)(1, s, 5);
    NAME(product)(17, s, 0);
  }
  NAME(product)(130, 150, 300);
  NAME(product)(260, 70, 520);
  NAME(product)(15, 70, 1030);    // two blocks of depth, and rows of a that are copied
  NAME(product)(1025, 70, 9);     // the same for a transposed a
}

static void NAME(factorizations)(void) {
  SIZES(n) {
    CASE(lu, n, PLAIN(n * n), room(n, sizeof(int32_t)));
    CASE(lu, n, ANY(n * n), room(n, sizeof(int32_t)));
    for (size_t columns = 0; columns <= n; columns += columns < 5 ? 1 : 16)
      CASE(qr, n, columns, PLAIN(n * columns), OUT(n * columns), OUT(columns * columns),
           OUT(n * columns + 2 * n));
    for (size_t columns = 0; columns <= largest; columns += columns < 20 ? 1 : 25) {
      for (int form = 0; form < 8; form++)
        CASE(triangular_solve, form & 1, form >> 1 & 1, form >> 2, n, columns, ANY(n * n),
             PLAIN(n * columns));
      int32_t *const order = room(n, sizeof *order);
      for (size_t i = 0; i < n; i++) order[i] = (int32_t)((i + 1) % n);
      CASE(plu_solve, n, columns, ANY(n * n), order, PLAIN(columns * n), OUT(columns * n));
    }
  }
}

static void NAME(flows)(void) {
  for (size_t rows = 0; rows <= 130; rows += rows < 3 ? 1 : 127)
    for (int form = 0; form < 6; form++) SIZES(n) {
      if (rows == 130 && n > 20) break;  // several blocks of short rows
      const ck_scale scale = (ck_scale)(form / 2);
      CASE(affine, scale, 2, form & 1, rows, n, ANY(rows * n), ANY(rows * 2 * n), OUT(rows * n),
           OUT(rows * n));
      for (int given = 0; given < 4; given++)
        CASE(affine_pullback, scale, 2, form & 1, rows, n, given & 1 ? ANY(rows * n) : NULL,
             given & 2 ? ANY(rows) : NULL, ANY(rows * n), ANY(rows * 2 * n), ANY(rows * n), ANY(rows * n),
             OUT(rows * n), OUT(rows * 2 * n));
    }
  for (size_t bins = 1; bins <= CK_SPLINE_BINS; bins += bins < 12 ? 1 : 13)
    for (int form = 0; form < 4; form++) SIZES(n) {
      const ck_spline_form spline = {bins, form & 1, 3, 1e-3, 1e-3, 0.5397423};
      const size_t raws = n * (3 * bins - (form & 1 ? 0 : 1));
      CASE(spline, &spline, form >> 1, n, ANY(n), ANY(raws), OUT(n), OUT(n));
      const int given = n % 4;
      CASE(spline_pullback, &spline, form >> 1, n, given & 1 ? ANY(n) : NULL, given & 2 ? ANY(n) : NULL,
           ANY(n), ANY(raws), OUT(n), OUT(raws));
    }
  for (size_t units = 1; units <= CK_AUTM_UNITS; units += units < 4 ? 1 : 30) SIZES(n) {
    const size_t numbers = n * (5 * units + 2);
    const int given = n % 4;
    CASE(autm, units, 3, n, ANY(n), ANY(numbers), OUT(n), OUT(n));
    CASE(autm_pullback, units, 3, n, given & 1 ? ANY(n) : NULL, given & 2 ? ANY(n) : NULL, ANY(n),
         ANY(numbers), OUT(n), OUT(numbers));
  }
  for (size_t columns = 1; columns < 8; columns++) SIZES(n)
    CASE(kernel_mean, n, columns, 130, ANY(n * columns), ANY(n), ANY(130 * columns), OUT(n * columns), OUT(n),
         OUT(n), OUT(columns * 128 / sizeof(T)));
}

static void NAME(transformers)(void) {
  for (size_t tokens = 1; tokens < 40; tokens += tokens < 4 ? 1 : 14)
    for (size_t heads = 1; heads < 3; heads++)
      for (size_t width = 1; width < 40; width += width < 4 ? 1 : 15) {
        enum { rows = 2 };
        const size_t n = rows * tokens * heads * width, scratch = ck_attention_scratch(TYPE, tokens, width);
        end(TEXT(attention_scratch));
        for (int causal = 0; causal < 2; causal++) {
          const ck_heads form = {heads, width, 0.5, causal};
          CASE(attention, &form, rows, tokens, ANY(3 * n), OUT(n), OUT(scratch));
          CASE(attention_pullback, &form, rows, tokens, ANY(3 * n), ANY(n), OUT(3 * n), OUT(scratch));
        }
        const size_t lanes = 64 / sizeof(T), channels = heads * width, whole = (tokens + 3) / 4 * 4;
        const ck_heads form = {heads, width, 0.5, true};
        CASE(attention_step, &form, rows, tokens - 1, whole, ANY(rows * 3 * channels),
             ANY(lanes * whole * 2 * channels), OUT(rows * channels), OUT(lanes * (2 * channels + whole)));
      }
  for (size_t rows = 0; rows < 4; rows++) SIZES(n) {
    if (n == 0) continue;
    CASE(layer_norm, rows, n, (T)1e-5, ANY(rows * n), ANY(n), ANY(n), OUT(rows * n));
    CASE(layer_norm_pullback, rows, n, (T)1e-5, ANY(rows * n), ANY(rows * n), ANY(n), OUT(rows * n), OUT(n),
         OUT(n));
    CASE(lip_swish, (T)0.7, rows * n, ANY(rows * n), OUT(rows * n), OUT(rows * n));
    CASE(lip_swish_pullback, (T)0.7, rows * n, ANY(rows * n), ANY(rows * n), ANY(rows * n), OUT(rows * n),
         OUT(rows * n));
  }
}

static void NAME(steps)(void) {
  SIZES(n) {
    BITS *const bits = room(n, sizeof *bits);
    for (size_t i = 0; i < n; i++) bits[i] = (BITS)next();
    CASE(uniform, bits, n, -1, (T)1.5, OUT(n));
  }
  for (int decays = 0; decays < 2; decays++) SIZES(n) {
    const ck_adam_numbers numbers = {1e-3, 0.9, 0.999, 10, 1000, 1e-8, decays * 0.01};
    // The weights are not read without decay.
    for (int moves = 0; moves < 2; moves++)
      CASE(adam, &numbers, moves, n, ANY(n), ANY(n), ANY(n), decays || moves ? ANY(n) : OUT(0), OUT(n),
           OUT(n), OUT(n));
  }
}

static void NAME(all)(void) {
  NAME(elementwise)();
  NAME(shapes)();
  NAME(products)();
  NAME(factorizations)();
  NAME(flows)();
  NAME(transformers)();
  NAME(steps)();
}
#undef ANY
#undef PLAIN
#undef OUT
#undef SIZES
