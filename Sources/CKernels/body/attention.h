// Attention of the tokens of a row to each other, head by head.
//
// The weights of a block of queries stay in the cache. Products are those of gemm, whose tiles read the heads
// in place. Rows of weights have whole vectors, with zeros behind the last key.

// The number of queries whose weights are computed at once.
#define BLOCK 32

INLINE size_t NAME(whole_vectors)(size_t n) {
  return (n + LANES - 1) / LANES * LANES;
}

static size_t NAME(attention_scratch)(size_t tokens, size_t width) {
  return 2 * (width + BLOCK) * NAME(whole_vectors)(tokens) + 4 * LANES * (tokens < BLOCK ? BLOCK : tokens);
}

// c = a b, or c + a b if `resume`, for a[m][k] and b[k][n] with steps of their own. If `spare`, rows of b and c
// have room for whole vectors. `panel` has room for 4 vectors per row of b.
static void NAME(strided_product)(size_t m, size_t n, size_t k, const T *a, size_t a_row, size_t a_k,
                                  const T *b, size_t b_row, bool spare, bool resume, T *c, size_t c_row,
                                  T *panel) {
  for (size_t j = 0; j < n;) {
    const size_t width = NAME(tile_width)(m, (n - j + LANES - 1) / LANES), whole = width * LANES;
    const size_t columns = spare || n - j >= whole ? whole : n - j;
    if (columns < whole) NAME(pack_panel)(false, columns, width, k, b + j, b_row, panel);
    const T *const right = columns < whole ? panel : b + j;
    const size_t right_row = columns < whole ? whole : b_row;
    const size_t most = NAME(tile_rows)(width), tiles = (m + most - 1) / most;
    for (size_t t = 0; t < tiles; t++) {
      const size_t first = NAME(share)(m, tiles, t), rows = NAME(share)(m, tiles, t + 1) - first;
      NAME(tile_to)(rows, width, columns, k, a + first * a_row, (ptrdiff_t)a_row, (ptrdiff_t)a_k, right,
                    (ptrdiff_t)right_row, c + first * c_row + j, c_row, resume, NULL, false);
    }
    j += columns;
  }
}

// Replaces `count` scores by their softmax after a factor, as Tensor.softmax does. Zeros follow up to `room`.
static void NAME(softmax_row)(T factor, size_t count, size_t room, T *row) {
  for (size_t c = count; c < room; c++) row[c] = -(T)INFINITY;
  V best = NAME(splat)(-(T)INFINITY);
  for (size_t c = 0; c < room; c += LANES) {
    const V scaled = factor * NAME(load)(row + c);
    best = NAME(maximum)(best, scaled);
    NAME(store)(row + c, scaled);
  }
  const T top = NAME(fold_maximum)(best);
  const V shift = NAME(splat)(top - top == 0 ? top : 0);
  double total = 0;
  for (size_t start = 0; start < room; start += 1024) {
    V sum = {0};
    for (size_t c = start; c < room && c < start + 1024; c += LANES) {
      const V power = NAME(exp)(NAME(load)(row + c) - shift);
      sum += power;
      NAME(store)(row + c, power);
    }
    total += NAME(fold_sum)(sum);
  }
  for (size_t c = 0; c < room; c += LANES) NAME(store)(row + c, NAME(load)(row + c) / (T)total);
}

// to[c][t] = from[t][c] with rows of whole vectors.
static void NAME(transpose_head)(size_t tokens, size_t width, const T *from, size_t from_row, T *to) {
  const size_t room = NAME(whole_vectors)(tokens);
  for (size_t t = 0; t < tokens; t += LANES)
    NAME(pack_transposed)(from + t * from_row, from_row, tokens - t < LANES ? tokens - t : LANES, width,
                          to + t, room);
}

// The weights of the queries from `begin` to `end`. Returns the number of keys that they see.
static size_t NAME(attention_weights)(bool causal, T factor, size_t begin, size_t end, size_t tokens, size_t width,
                                      const T *queries, size_t row, const T *keys, T *weights) {
  const size_t seen = causal ? end : tokens, room = NAME(whole_vectors)(tokens);
  NAME(strided_product)(end - begin, seen, width, queries + begin * row, row, 1, keys, room, true, false,
                        weights, room, NULL);
  for (size_t i = begin; i < end; i++)
    NAME(softmax_row)(factor, causal ? i + 1 : tokens, NAME(whole_vectors)(seen),
                      weights + (i - begin) * room);
  return seen;
}

static void NAME(attention)(bool causal, T factor, size_t rows, size_t tokens, size_t heads, size_t width, const T *qkv,
                            T *y, T *scratch) {
  const size_t room = NAME(whole_vectors)(tokens), channels = heads * width, row = 3 * channels;
  T *const keys = scratch, *const weights = keys + width * room, *const panel = weights + BLOCK * room;
  for (size_t r = 0; r < rows; r++, qkv += tokens * row, y += tokens * channels)
    for (size_t h = 0; h < heads; h++) {
      const T *const q = qkv + h * width, *const k = q + channels, *const v = k + channels;
      NAME(transpose_head)(tokens, width, k, row, keys);
      for (size_t begin = 0; begin < tokens; begin += BLOCK) {
        const size_t end = tokens - begin < BLOCK ? tokens : begin + BLOCK;
        const size_t seen = NAME(attention_weights)(causal, factor, begin, end, tokens, width, q, row, keys, weights);
        NAME(strided_product)(end - begin, width, seen, weights, room, 1, v, row, false, false,
                              y + begin * channels + h * width, channels, panel);
      }
    }
}

// With weights p, and g of the means: gp = g v^T and gs = p (gp - sum of gp p) / sqrt(width) of the scores.
static void NAME(attention_pullback)(bool causal, T factor, size_t rows, size_t tokens, size_t heads, size_t width,
                                     const T *qkv, const T *g, T *gqkv, T *scratch) {
  const size_t room = NAME(whole_vectors)(tokens), channels = heads * width, row = 3 * channels;
  T *const keys = scratch, *const values = keys + width * room, *const weights = values + width * room;
  T *const slopes = weights + BLOCK * room, *const panel = slopes + BLOCK * room;
  NAME(fill)(0, gqkv, rows * tokens * row);
  for (size_t r = 0; r < rows; r++, qkv += tokens * row, gqkv += tokens * row, g += tokens * channels)
    for (size_t h = 0; h < heads; h++) {
      const T *const q = qkv + h * width, *const k = q + channels, *const v = k + channels;
      T *const gq = gqkv + h * width, *const gk = gq + channels, *const gv = gk + channels;
      NAME(transpose_head)(tokens, width, k, row, keys);
      NAME(transpose_head)(tokens, width, v, row, values);
      for (size_t begin = 0; begin < tokens; begin += BLOCK) {
        const size_t end = tokens - begin < BLOCK ? tokens : begin + BLOCK, count = end - begin;
        const T *const own = g + begin * channels + h * width;
        const size_t seen = NAME(attention_weights)(causal, factor, begin, end, tokens, width, q, row, keys, weights);
        NAME(strided_product)(count, seen, width, own, channels, 1, values, room, true, false, slopes, room,
                              panel);
        for (size_t i = 0; i < count; i++) {
          T *const p = weights + i * room, *const s = slopes + i * room;
          V sum = {0};
          for (size_t c = 0; c < seen; c += LANES) sum = fma(NAME(load)(p + c), NAME(load)(s + c), sum);
          const V mean = NAME(splat)(NAME(fold_sum)(sum));
          for (size_t c = 0; c < seen; c += LANES)
            NAME(store)(s + c, factor * NAME(load)(p + c) * (NAME(load)(s + c) - mean));
        }
        NAME(strided_product)(count, width, seen, slopes, room, 1, k, row, false, false, gq + begin * row, row,
                              panel);
        NAME(strided_product)(seen, width, count, slopes, 1, room, q + begin * row, row, false, true, gk, row,
                              panel);
        NAME(strided_product)(seen, width, count, weights, 1, room, own, channels, false, true, gv, row,
                              panel);
      }
    }
}

// `keys` holds [head][channel][token] for each row, and `values` [token][channel].
static void NAME(attention_step)(T factor, size_t rows, size_t tokens, size_t heads, size_t width, size_t room,
                                 const T *qkv, T *keys, T *values, T *y, T *scratch) {
  const size_t channels = heads * width, count = tokens + 1;
  T *const panel = scratch + room;
  for (size_t r = 0; r < rows; r++, qkv += 3 * channels, values += room * channels, y += channels) {
    __builtin_memcpy(values + tokens * channels, qkv + 2 * channels, channels * sizeof(T));
    for (size_t h = 0; h < heads; h++, keys += width * room) {
      for (size_t c = 0; c < width; c++) keys[c * room + tokens] = qkv[channels + h * width + c];
      NAME(strided_product)(1, count, width, qkv + h * width, 0, 1, keys, room, true, false, scratch, 0, panel);
      NAME(softmax_row)(factor, count, NAME(whole_vectors)(count), scratch);
      NAME(strided_product)(1, width, count, scratch, 0, 1, values + h * width, channels, false, false,
                            y + h * width, 0, panel);
    }
  }
}
#undef BLOCK
