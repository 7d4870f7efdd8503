// Attention of the tokens of a row to each other, head by head.
//
// The weights of a block of queries stay in the cache. Products are those of gemm, whose tiles read the heads
// in place. Rows of weights have whole vectors, with zeros behind the last key.

// The number of queries whose weights are computed at once.
#define BLOCK 32

INLINE V NAME(lane_numbers)(void) {
  T lanes[LANES];
  for (int i = 0; i < LANES; i++) lanes[i] = (T)i;
  return NAME(load)(lanes);
}

INLINE size_t NAME(whole_vectors)(size_t n) {
  return (n + LANES - 1) / LANES * LANES;
}

static size_t NAME(attention_scratch)(size_t tokens, size_t width) {
  const size_t panel = 4 * LANES * (tokens < BLOCK ? BLOCK : tokens);
  return 2 * (width + BLOCK) * NAME(whole_vectors)(tokens) + panel;
}

// c = a b, or c + a b if `resume`, for a[m][k] and b[k][n] with steps of their own. If `spare`, rows of b and
// c have room for whole vectors. `panel` has room for 4 vectors per row of b.
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

INLINE V NAME(finite_or_zero)(V x) {
  return NAME(choose)(x - x == 0, x, (V){0});
}

// Replaces scores by their softmax after a factor, for up to LANES rows. The first row has `count` scores,
// each further one `more` more. Zeros follow up to `room`. Sums of up to 1024 numbers are those of sum_rows.
static void NAME(softmax_block)(T factor, size_t rows, size_t count, size_t more, size_t room, size_t row,
                                T *scores) {
  V tops[LANES], sums[LANES];
  T shift[LANES], total[LANES];
  for (size_t i = 0; i < LANES; i++) {
    tops[i] = NAME(splat)(-(T)INFINITY), sums[i] = (V){0};
    for (size_t c = 0; i < rows && c < room; c += LANES) {
      V score = factor * NAME(load)(scores + i * row + c);
      const I is_seen = NAME(lane_numbers)() + (T)c < (T)(count + i * more);
      score = NAME(choose)(is_seen, score, NAME(splat)(-(T)INFINITY));
      tops[i] = NAME(maximum)(tops[i], score);
      NAME(store)(scores + i * row + c, score);
    }
  }
  NAME(transpose_block)(tops);
  for (size_t half = LANES / 2; half > 0; half /= 2)
    for (size_t i = 0; i < half; i++) tops[i] = NAME(maximum)(tops[i], tops[i + half]);
  NAME(store)(shift, NAME(finite_or_zero)(tops[0]));
  for (size_t i = 0; i < rows; i++)
    for (size_t c = 0; c < room; c += LANES) {
      const V power = NAME(exp)(NAME(load)(scores + i * row + c) - shift[i]);
      sums[i] += power;
      NAME(store)(scores + i * row + c, power);
    }
  NAME(transpose_block)(sums);
  for (size_t half = LANES / 2; half > 0; half /= 2)
    for (size_t i = 0; i < half; i++) sums[i] += sums[i + half];
  NAME(store)(total, sums[0]);
  for (size_t i = 0; i < rows; i++)
    for (size_t c = 0; c < room; c += LANES)
      NAME(store)(scores + i * row + c, NAME(load)(scores + i * row + c) / total[i]);
}

// to[c][t] = from[t][c] with rows of whole vectors.
static void NAME(transpose_head)(size_t tokens, size_t width, const T *from, size_t from_row, T *to) {
  const size_t room = NAME(whole_vectors)(tokens);
  for (size_t t = 0; t < tokens; t += LANES) {
    const size_t count = tokens - t < LANES ? tokens - t : LANES;
    NAME(pack_transposed)(from + t * from_row, from_row, count, width, to + t, room);
  }
}

// The weights of the queries from `begin` to `end`. Returns the number of keys that they see.
static size_t NAME(attention_weights)(const ck_heads *a, size_t begin, size_t end, size_t tokens, const T *q,
                                      const T *keys, T *weights) {
  const size_t row = 3 * a->heads * a->width, room = NAME(whole_vectors)(tokens);
  const size_t seen = a->causal ? end : tokens, used = NAME(whole_vectors)(seen);
  NAME(strided_product)(end - begin, seen, a->width, q + begin * row, row, 1, keys, room, true, false,
                        weights, room, NULL);
  for (size_t i = begin; i < end; i += LANES)
    NAME(softmax_block)((T)a->factor, end - i < LANES ? end - i : LANES, a->causal ? i + 1 : tokens,
                        a->causal, used, room, weights + (i - begin) * room);
  return seen;
}

static void NAME(attention)(const ck_heads *a, size_t rows, size_t tokens, const T *qkv, T *y, T *scratch) {
  const size_t width = a->width, channels = a->heads * width, row = 3 * channels;
  const size_t room = NAME(whole_vectors)(tokens);
  T *const keys = scratch, *const weights = keys + width * room, *const panel = weights + BLOCK * room;
  for (size_t r = 0; r < rows; r++, qkv += tokens * row, y += tokens * channels)
    for (size_t h = 0; h < a->heads; h++) {
      const T *const q = qkv + h * width, *const k = q + channels, *const v = k + channels;
      NAME(transpose_head)(tokens, width, k, row, keys);
      for (size_t begin = 0; begin < tokens; begin += BLOCK) {
        const size_t end = tokens - begin < BLOCK ? tokens : begin + BLOCK;
        const size_t seen = NAME(attention_weights)(a, begin, end, tokens, q, keys, weights);
        NAME(strided_product)(end - begin, width, seen, weights, room, 1, v, row, false, false,
                              y + begin * channels + h * width, channels, panel);
      }
    }
}

// s = factor p (s - sum of s p): the cotangents of scores from those of their softmax p.
static void NAME(softmax_pullback)(T factor, size_t room, const T *p, T *s) {
  V sum = {0};
  for (size_t c = 0; c < room; c += LANES) sum = fma(NAME(load)(p + c), NAME(load)(s + c), sum);
  const T mean = NAME(fold_sum)(sum);
  for (size_t c = 0; c < room; c += LANES)
    NAME(store)(s + c, factor * NAME(load)(p + c) * (NAME(load)(s + c) - mean));
}

// The cotangents of queries and keys come from those of the scores, whose weights have the cotangents g v^T.
static void NAME(attention_pullback)(const ck_heads *a, size_t rows, size_t tokens, const T *qkv, const T *g,
                                     T *gqkv, T *scratch) {
  const size_t width = a->width, channels = a->heads * width, row = 3 * channels;
  const size_t room = NAME(whole_vectors)(tokens);
  T *const keys = scratch, *const values = keys + width * room, *const weights = values + width * room;
  T *const slopes = weights + BLOCK * room, *const panel = slopes + BLOCK * room;
  NAME(fill)(0, gqkv, rows * tokens * row);
  for (size_t r = 0; r < rows; r++, qkv += tokens * row, gqkv += tokens * row, g += tokens * channels)
    for (size_t h = 0; h < a->heads; h++) {
      const T *const q = qkv + h * width, *const k = q + channels, *const v = k + channels;
      T *const gq = gqkv + h * width, *const gk = gq + channels, *const gv = gk + channels;
      NAME(transpose_head)(tokens, width, k, row, keys);
      NAME(transpose_head)(tokens, width, v, row, values);
      for (size_t begin = 0; begin < tokens; begin += BLOCK) {
        const size_t end = tokens - begin < BLOCK ? tokens : begin + BLOCK, count = end - begin;
        const T *const own = g + begin * channels + h * width;
        const size_t seen = NAME(attention_weights)(a, begin, end, tokens, q, keys, weights);
        NAME(strided_product)(count, seen, width, own, channels, 1, values, room, true, false, slopes, room,
                              panel);
        for (size_t i = 0; i < count; i++)
          NAME(softmax_pullback)((T)a->factor, NAME(whole_vectors)(seen), weights + i * room,
                                 slopes + i * room);
        NAME(strided_product)(count, width, seen, slopes, room, 1, k, row, false, false, gq + begin * row,
                              row, panel);
        NAME(strided_product)(seen, width, count, slopes, 1, room, q + begin * row, row, false, true, gk, row,
                              panel);
        NAME(strided_product)(seen, width, count, weights, 1, room, own, channels, false, true, gv, row,
                              panel);
      }
    }
}
#undef BLOCK
