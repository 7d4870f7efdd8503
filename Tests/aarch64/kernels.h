// Every kernel of one element type on a table of inputs: T, the kernels' name TYPE for it, its unsigned twin
// BITS, NAME(name), which adds the type's suffix, and TEXT(name), the same as text.

static void NAME(add)(uint64_t *hash, const T *x, size_t n) {
  for (size_t i = 0; i < n; i++) {
    BITS bits;
    memcpy(&bits, x + i, sizeof bits);
    if (x[i] != x[i]) bits = (BITS)-1;  // One NaN for all: its sign and payload are nobody's promise.
    add_bytes(hash, &bits, sizeof bits);
  }
}

// Uniform numbers in (-scale, scale).
static const T *NAME(random)(size_t n, double scale) {
  T *const x = room(n * sizeof(T));
  for (size_t i = 0; i < n; i++) x[i] = (T)(scale * 0x1p-52 * (double)((int64_t)next() >> 11));
  return x;
}

// Where functions have their edges, then any bits at all, then numbers of an everyday size.
static const T *NAME(any)(size_t n, double scale) {
  static const double edges[] = {
    0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, 1e-3, -1e-3, 1e-8, 1e-30, -1e-30, 1e-42, -1e-42, 5e-324, 88.7,
    -87.3, -103.9, 104.5, 709.7, -745.1, 0.70710678, 0.99999994, -0.99999994, 3.95, 17.3, -18.1, 1.5707964,
    3.1415927, 131071.9, 131072.1, 1e6, -1e15, 1e30, -3.4e38, 1.7e308, __builtin_inf(), -__builtin_inf(),
    __builtin_nan(""),
  };
  enum { count = sizeof edges / sizeof *edges };
  T *const x = room(n * sizeof(T));
  for (size_t i = 0; i < n; i++) {
    const uint64_t drawn = next();
    const BITS bits = (BITS)drawn;
    if (i % 3 == 0) x[i] = (T)edges[drawn % count];
    else if (i % 3 == 1) memcpy(x + i, &bits, sizeof bits);
    else x[i] = (T)(scale * 0x1p-52 * (double)((int64_t)drawn >> 11));
  }
  return x;
}

static void NAME(elementwise)(void) {
  for (int f = CK_NEGATE; f <= CK_SIGMOID_SLOPE; f++) {
    uint64_t hash = start;
    for (size_t l = 0; l < length_count; l++) {
      const size_t n = lengths[l];
      T *const y = room(n * sizeof(T));
      ck_unary(TYPE, (ck_function)f, NAME(any)(n, 20), y, n);
      NAME(add)(&hash, y, n);
    }
    report(TEXT(unary), f, hash);
  }
  for (int f = CK_ADD; f <= CK_D_ABS; f++) {
    uint64_t hash = start;
    for (size_t l = 0; l < length_count; l++) {
      const size_t n = lengths[l];
      const T *const a = NAME(any)(n, 20), *const b = NAME(any)(n, 4);
      T *const y = room(n * sizeof(T));
      for (int steps = 0; steps < 4; steps++) {
        ck_binary(TYPE, (ck_operation)f, a, steps & 1, b, steps >> 1, y, n);
        NAME(add)(&hash, y, n);
      }
    }
    report(TEXT(binary), f, hash);
  }
  static const ck_function chained[] = {CK_TANH, CK_SIGMOID, CK_EXPM1};
  for (size_t c = 0; c < sizeof chained / sizeof *chained; c++) {
    uint64_t hash = start;
    for (size_t l = 0; l < length_count; l++) {
      const size_t n = lengths[l];
      const T *const x = NAME(any)(n, 20), *const g = NAME(any)(n, 4);
      T *const fx = room(n * sizeof(T)), *const y = room(n * sizeof(T));
      ck_unary(TYPE, chained[c], x, fx, n);
      ck_chain(TYPE, chained[c], g, x, fx, y, n);
      NAME(add)(&hash, y, n);
    }
    report(TEXT(chain), (int)c, hash);
  }
  uint64_t selected = start, filled = start;
  for (size_t l = 0; l < length_count; l++) {
    const size_t n = lengths[l];
    T *const mask = room(n * sizeof(T)), *const y = room(n * sizeof(T));
    for (size_t i = 0; i < n; i++) mask[i] = (T)(next() & 1);
    ck_select(TYPE, mask, 1, NAME(any)(n, 1), 1, NAME(any)(n, 1), 0, y, n);
    NAME(add)(&selected, y, n);
    ck_fill(TYPE, (T)0.1, y, n);
    NAME(add)(&filled, y, n);
  }
  report(TEXT(select), 0, selected);
  report(TEXT(fill), 0, filled);
}

static void NAME(shapes)(void) {
  enum { rows = 23, columns = 1100, count = rows * columns };
  const T *const x = NAME(random)(count, 1), *const odd = NAME(any)(count, 1);
  T *const y = room(count * sizeof(T));
#define REDUCTION(name, size, ...) \
  { \
    uint64_t hash = start; \
    for (int i = 0; i < 2; i++) { \
      ck_##name(TYPE, i == 0 ? x : odd, rows, columns, ##__VA_ARGS__, y); \
      NAME(add)(&hash, y, size); \
    } \
    report(TEXT(name), 0, hash); \
  }
  REDUCTION(sum_rows, rows)
  REDUCTION(sum_columns, columns)
  REDUCTION(max_rows, rows)
  REDUCTION(max_columns, columns)
  REDUCTION(cumsum_rows, count, false)
  REDUCTION(cumsum_rows, count, true)
  REDUCTION(transpose, count)
#undef REDUCTION
  uint64_t copied = start, reversed = start;
  for (size_t n = 0; n < 40; n++) {
    ck_copy_rows(TYPE, rows, n, odd, columns, y, n);
    NAME(add)(&copied, y, rows * n);
    ck_reverse_rows(TYPE, rows, n, odd, columns, y);
    NAME(add)(&reversed, y, rows * n);
  }
  report(TEXT(copy_rows), 0, copied);
  report(TEXT(reverse_rows), 0, reversed);
  enum { outer = 5, length = 17, inner = 9, picks = 29 };
  int32_t index[picks];
  for (size_t i = 0; i < picks; i++) index[i] = (int32_t)(next() % length);
  uint64_t gathered = start, scattered = start;
  ck_gather(TYPE, x, outer, length, inner, index, picks, y);
  NAME(add)(&gathered, y, outer * picks * inner);
  memcpy(y, x + 7, outer * length * inner * sizeof(T));
  ck_scatter_add(TYPE, x, outer, length, inner, index, picks, y);
  NAME(add)(&scattered, y, outer * length * inner);
  report(TEXT(gather), 0, gathered);
  report(TEXT(scatter_add), 0, scattered);
}

static void NAME(rows)(void) {
  enum { rows = 23, columns = 1100, size = 37 };
  const T *const x = NAME(random)(rows * columns, 1), *const d = NAME(random)(rows * columns, 1);
  const double noise[] = {0.3, -2, 1e-9, 4, 5, -0.7, 8};
  T *const y = room(rows * columns * sizeof(T));
  double *const totals = room(rows * sizeof(double));
#define TOTALS(name, ...) { \
    uint64_t hash = start; \
    for (size_t r = 0; r < rows; r++) totals[r] = 0; \
    ck_##name(TYPE, __VA_ARGS__); \
    add_bytes(&hash, totals, rows * sizeof(double)); \
    report(TEXT(name), 0, hash); \
  }
#define NUMBERS(name, size, ...) { \
    uint64_t hash = start; \
    ck_##name(TYPE, __VA_ARGS__); \
    NAME(add)(&hash, y, size); \
    report(TEXT(name), 0, hash); \
  }
  TOTALS(square_rows, x, rows, columns, totals)
  TOTALS(square_products, x, d, rows, 50, 33, totals)
  TOTALS(square_triangle, true, size, x, d, NULL, NULL, NULL, rows, totals, y)
  TOTALS(square_triangle, false, size, x, d, x, d, NULL, rows, totals, y)
  NUMBERS(weighted_columns, columns, d, x, rows, columns, y)
  NUMBERS(scale_rows, rows * columns, d, x, rows, columns, y)
  NUMBERS(add_noise, 7, 3, 0.3, noise, x, 7, y)
#undef TOTALS
#undef NUMBERS
  uint64_t scaled = start;
  for (size_t n = 1; n < 70; n++)
    for (int inverse = 0; inverse < 2; inverse++) {
      ck_scale_columns(TYPE, inverse, rows, n, x, d, d + n, y);
      NAME(add)(&scaled, y, rows * n);
    }
  report(TEXT(scale_columns), 0, scaled);
}

static void NAME(products)(void) {
  static const size_t sizes[][3] = {
    {5, 7, 9}, {20, 33, 17}, {64, 2, 30}, {1, 40, 20}, {33, 70, 3}, {17, 16, 270}, {3, 5, 0},
    {130, 150, 300}, {300, 65, 40},
  };
  uint64_t hash[5] = {start, start, start, start, start}, stairs[3] = {start, start, start};
  uint64_t scratches = start, units = start;
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
    const size_t m = sizes[s][0], n = sizes[s][1], k = sizes[s][2];
    const T *const a = NAME(random)(m * k, 1), *const b = NAME(random)(k * n, 1);
    const T *const bias = NAME(random)(n, 1);
    const size_t wanted = ck_gemm_scratch(TYPE, m, n, k);
    T *const c = room(m * n * sizeof(T)), *const scratch = room(wanted * sizeof(T));
    add_bytes(&scratches, &wanted, sizeof wanted);
    for (int form = 0; form < 8; form++)
      for (int f = 0; f < 5; f++) {
        ck_gemm(TYPE, form & 1, form >> 1 & 1, m, 0, m, n, k, a, b, form & 4 ? bias : NULL, (ck_epilogue)f, c,
                scratch);
        NAME(add)(&hash[f], c, m * n);
      }
    // What the stairs belong to: b, b as it is stored where it is transposed, and c.
    for (int form = 0; form < 3; form++) {
      const size_t height = form == 0 ? k : form == 1 ? n : m, width = form == 1 ? k : n;
      uint32_t *const limit = room((width + 1) * sizeof *limit);
      uint32_t *const first = room((height + 1) * sizeof *first);
      for (size_t j = 0; j < width; j++) limit[j] = (uint32_t)((j + 1) * height / (width + 1));
      for (size_t i = 0; i < height; i++) {
        first[i] = 0;
        while (first[i] < width && limit[first[i]] <= i) first[i]++;
      }
      ck_gemm_staircase(TYPE, form == 2, form == 1, m, 0, m, n, k, a, b, &(ck_staircase){limit, first, false},
                        bias, CK_RELU_EPILOGUE, c, scratch);
      NAME(add)(&stairs[form], c, m * n);
    }
    // y[n][m] of known[k][m] and weight[k][n].
    ck_dense_units(TYPE, m, k, n, a, b, n, bias, CK_TANH_EPILOGUE, c);
    NAME(add)(&units, c, m * n);
  }
  for (int f = 0; f < 5; f++) report(TEXT(gemm), f, hash[f]);
  report(TEXT(gemm_scratch), 0, scratches);
  for (int form = 0; form < 3; form++) report(TEXT(gemm_staircase), form, stairs[form]);
  report(TEXT(dense_units), 0, units);
}

static void NAME(factorizations)(void) {
  static const size_t sizes[][2] = {{1, 1}, {5, 3}, {16, 16}, {37, 21}, {70, 33}};
  uint64_t lu = start, qr = start, solved = start, both = start;
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
    const size_t n = sizes[s][0], columns = sizes[s][1];
    const T *const square = NAME(random)(n * n, 1), *const b = NAME(random)(n * columns, 1);
    T *const a = room(n * n * sizeof(T)), *const x = room(n * columns * sizeof(T));
    int32_t *const permutation = room(n * sizeof *permutation);
    memcpy(a, square, n * n * sizeof(T));
    const int sign = ck_lu(TYPE, n, a, permutation);
    NAME(add)(&lu, a, n * n);
    add_bytes(&lu, permutation, n * sizeof *permutation);
    add_bytes(&lu, &sign, sizeof sign);
    T *const q = room(n * columns * sizeof(T)), *const r = room(columns * columns * sizeof(T));
    ck_qr(TYPE, n, columns, b, q, r, room((n * columns + 2 * n) * sizeof(T)));
    NAME(add)(&qr, q, n * columns);
    NAME(add)(&qr, r, columns * columns);
    for (size_t i = 0; i < n * n; i++) a[i] = square[i] / 9 + (i % (n + 1) == 0 ? 1 : 0);
    for (int form = 0; form < 8; form++) {
      memcpy(x, b, n * columns * sizeof(T));
      ck_triangular_solve(TYPE, form & 1, form >> 1 & 1, form >> 2, n, columns, a, x);
      NAME(add)(&solved, x, n * columns);
    }
    for (size_t i = 0; i < n; i++) permutation[i] = (int32_t)((i + 1) % n);
    T *const y = room(n * columns * sizeof(T));
    ck_plu_solve(TYPE, n, columns, a, permutation, b, y);
    NAME(add)(&both, y, n * columns);
  }
  report(TEXT(lu), 0, lu);
  report(TEXT(qr), 0, qr);
  report(TEXT(triangular_solve), 0, solved);
  report(TEXT(plu_solve), 0, both);
}

static void NAME(flows)(void) {
  enum { rows = 21 };
  for (int form = CK_EXPONENTIAL; form <= CK_LOG_SIGMOID; form++) {
    uint64_t value = start, pullback = start;
    for (size_t n = 1; n < 40; n += 6) {
      const T *const x = NAME(random)(rows * n, 3), *const raw = NAME(random)(rows * 2 * n, 4);
      const T *const g = NAME(random)(rows * n, 1), *const l = NAME(random)(rows, 1);
      T *const y = room(rows * n * sizeof(T)), *const s = room(rows * n * sizeof(T));
      T *const gx = room(rows * n * sizeof(T)), *const graw = room(rows * 2 * n * sizeof(T));
      for (int inverse = 0; inverse < 2; inverse++) {
        ck_affine(TYPE, (ck_scale)form, 2, inverse, rows, n, x, raw, y, s);
        NAME(add)(&value, y, rows * n);
        NAME(add)(&value, s, rows * n);
        for (int given = 1; given < 4; given++) {
          ck_affine_pullback(TYPE, (ck_scale)form, 2, inverse, rows, n, given & 1 ? g : NULL,
                             given & 2 ? l : NULL, x, raw, y, s, gx, graw);
          NAME(add)(&pullback, gx, rows * n);
          NAME(add)(&pullback, graw, rows * 2 * n);
        }
      }
    }
    report(TEXT(affine), form, value);
    report(TEXT(affine_pullback), form, pullback);
  }
  for (int circular = 0; circular < 2; circular++) {
    uint64_t value = start, pullback = start;
    for (size_t bins = 2; bins < 20; bins += 3) {
      enum { n = 101 };
      const ck_spline_form spline = {bins, circular, 3, 1e-3, 1e-3, 0.5397423};
      const size_t raws = n * (3 * bins - (circular ? 0 : 1));
      const T *const x = NAME(random)(n, 3.3), *const raw = NAME(random)(raws, 4);
      const T *const g = NAME(random)(n, 1), *const l = NAME(random)(n, 1);
      T *const y = room(n * sizeof(T)), *const slope = room(n * sizeof(T));
      T *const gx = room(n * sizeof(T)), *const graw = room(raws * sizeof(T));
      for (int inverse = 0; inverse < 2; inverse++) {
        ck_spline(TYPE, &spline, inverse, n, x, raw, y, slope);
        NAME(add)(&value, y, n);
        NAME(add)(&value, slope, n);
        for (int given = 1; given < 4; given++) {
          ck_spline_pullback(TYPE, &spline, inverse, n, given & 1 ? g : NULL, given & 2 ? l : NULL, x, raw,
                             gx, graw);
          NAME(add)(&pullback, gx, n);
          NAME(add)(&pullback, graw, raws);
        }
      }
    }
    report(TEXT(spline), circular, value);
    report(TEXT(spline_pullback), circular, pullback);
  }
  for (int units = 1; units < 10; units += 4) {
    enum { n = 101 };
    const size_t numbers = n * (5 * (size_t)units + 2);
    uint64_t value = start, pullback = start;
    const T *const x = NAME(random)(n, 3.3), *const field = NAME(random)(numbers, 1);
    const T *const g = NAME(random)(n, 1), *const l = NAME(random)(n, 1);
    T *const y = room(n * sizeof(T)), *const slope = room(n * sizeof(T));
    T *const gx = room(n * sizeof(T)), *const gfield = room(numbers * sizeof(T));
    ck_autm(TYPE, (size_t)units, 6, n, x, field, y, slope);
    NAME(add)(&value, y, n);
    NAME(add)(&value, slope, n);
    for (int given = 1; given < 4; given++) {
      ck_autm_pullback(TYPE, (size_t)units, 6, n, given & 1 ? g : NULL, given & 2 ? l : NULL, x, field, gx,
                       gfield);
      NAME(add)(&pullback, gx, n);
      NAME(add)(&pullback, gfield, numbers);
    }
    report(TEXT(autm), units, value);
    report(TEXT(autm_pullback), units, pullback);
  }
  for (size_t columns = 1; columns < 9; columns += 2) {
    enum { n = 37, count = 301 };
    uint64_t value = start;
    const T *const y = NAME(random)(n * columns, 9), *const x = NAME(random)(count * columns, 3);
    const T *const rate = NAME(random)(n, 2);
    T *const mean = room(n * columns * sizeof(T)), *const sum = room(n * sizeof(T));
    T *const square = room(n * sizeof(T)), *const scratch = room(columns * 128);
    ck_kernel_mean(TYPE, n, columns, count, y, rate, x, mean, sum, square, scratch);
    NAME(add)(&value, mean, n * columns);
    NAME(add)(&value, sum, n);
    NAME(add)(&value, square, n);
    report(TEXT(kernel_mean), (int)columns, value);
  }
}

static void NAME(transformers)(void) {
  enum { rows = 3, heads = 2, width = 21 };
  for (size_t tokens = 1; tokens < 50; tokens += 16) {
    const size_t n = rows * tokens * heads * width;
    const T *const qkv = NAME(random)(3 * n, 2), *const g = NAME(random)(n, 1);
    T *const y = room(n * sizeof(T)), *const gqkv = room(3 * n * sizeof(T));
    const size_t wanted = ck_attention_scratch(TYPE, tokens, width);
    T *const scratch = room(wanted * sizeof(T));
    uint64_t value = start, pullback = start, step = start, scratches = start;
    add_bytes(&scratches, &wanted, sizeof wanted);
    report(TEXT(attention_scratch), (int)tokens, scratches);
    for (int causal = 0; causal < 2; causal++) {
      const ck_heads form = {heads, width, 0.2, causal};
      ck_attention(TYPE, &form, rows, tokens, qkv, y, scratch);
      NAME(add)(&value, y, n);
      ck_attention_pullback(TYPE, &form, rows, tokens, qkv, g, gqkv, scratch);
      NAME(add)(&pullback, gqkv, 3 * n);
    }
    report(TEXT(attention), (int)tokens, value);
    report(TEXT(attention_pullback), (int)tokens, pullback);
    const size_t channels = heads * width, whole = (tokens + 3) / 4 * 4;
    T *const cache = room(16 * whole * 2 * channels * sizeof(T));
    T *const space = room(16 * (2 * channels + whole) * sizeof(T));
    const ck_heads form = {heads, width, 0.2, true};
    for (size_t i = 0; i < tokens; i++) {
      ck_attention_step(TYPE, &form, rows, i, whole, qkv + i * rows * 3 * channels, cache, y, space);
      NAME(add)(&step, y, rows * channels);
    }
    report(TEXT(attention_step), (int)tokens, step);
  }
  for (size_t l = 0; l < length_count; l++) {
    const size_t n = lengths[l];
    if (n == 0) continue;
    uint64_t value = start, pullback = start;
    const T *const x = NAME(random)(rows * n, 2), *const gain = NAME(random)(n, 1);
    T *const y = room(rows * n * sizeof(T)), *const gx = room(rows * n * sizeof(T));
    T *const ggain = room(n * sizeof(T)), *const gbias = room(n * sizeof(T));
    ck_layer_norm(TYPE, rows, n, 1e-5, x, gain, gain, y);
    NAME(add)(&value, y, rows * n);
    ck_layer_norm_pullback(TYPE, rows, n, 1e-5, y, x, gain, gx, ggain, gbias);
    NAME(add)(&pullback, gx, rows * n);
    NAME(add)(&pullback, ggain, n);
    NAME(add)(&pullback, gbias, n);
    report(TEXT(layer_norm), (int)n, value);
    report(TEXT(layer_norm_pullback), (int)n, pullback);
    value = pullback = start;
    ck_lip_swish(TYPE, 0.7, rows * n, x, y, gx);
    NAME(add)(&value, y, rows * n);
    NAME(add)(&value, gx, rows * n);
    T *const gh = room(rows * n * sizeof(T)), *const gbeta = room(rows * n * sizeof(T));
    ck_lip_swish_pullback(TYPE, 0.7, rows * n, y, gx, x, gh, gbeta);
    NAME(add)(&pullback, gh, rows * n);
    NAME(add)(&pullback, gbeta, rows * n);
    report(TEXT(lip_swish), (int)n, value);
    report(TEXT(lip_swish_pullback), (int)n, pullback);
  }
}

static void NAME(others)(void) {
  uint64_t uniform = start, adam = start;
  for (size_t l = 0; l < length_count; l++) {
    const size_t n = lengths[l];
    BITS *const bits = room(n * sizeof *bits);
    for (size_t i = 0; i < n; i++) bits[i] = (BITS)next();
    T *const y = room(n * sizeof(T));
    ck_uniform(TYPE, bits, n, -1, (T)1.5, y);
    NAME(add)(&uniform, y, n);
    const T *const g = NAME(random)(n, 1), *const mean = NAME(random)(n, 1);
    const T *const weight = NAME(random)(n, 1);
    T *const square = room(n * sizeof(T));
    T *const next_mean = room(n * sizeof(T)), *const next_square = room(n * sizeof(T));
    for (size_t i = 0; i < n; i++) square[i] = mean[i] * mean[i];
    for (int decays = 0; decays < 2; decays++) {
      const ck_adam_numbers numbers = {1e-3, 0.9, 0.999, 1 / (1 - 0.9), 1 / (1 - 0.999), 1e-8, decays * 0.01};
      ck_adam(TYPE, &numbers, decays, n, g, mean, square, weight, next_mean, next_square, y);
      NAME(add)(&adam, next_mean, n);
      NAME(add)(&adam, next_square, n);
      NAME(add)(&adam, y, n);
    }
  }
  report(TEXT(uniform), 0, uniform);
  report(TEXT(adam), 0, adam);
}

static void NAME(all)(void) {
  NAME(elementwise)();
  NAME(shapes)();
  NAME(rows)();
  NAME(products)();
  NAME(factorizations)();
  NAME(flows)();
  NAME(transformers)();
  NAME(others)();
}
