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

// Replaces scores by their softmax after a factor, for up to LANES rows. The first row has `count` scores, and
// each further one `more` more. Zeros follow up to `room`. The order of a sum is that of sum_rows for up to 1024
// numbers.
static void NAME(softmax_block)(T factor, size_t rows, size_t count, size_t more, size_t room, size_t row,
                                T *scores) {
  V tops[LANES], sums[LANES];
  T shift[LANES], total[LANES];
  for (size_t i = 0; i < LANES; i++) {
    tops[i] = NAME(splat)(-(T)INFINITY), sums[i] = (V){0};
    for (size_t c = 0; i < rows && c < room; c += LANES) {
      V scaled = factor * NAME(load)(scores + i * row + c);
      if (c + LANES > count + i * more)
        scaled = NAME(choose)(NAME(lane_numbers)() + (T)c < (T)(count + i * more), scaled,
                              NAME(splat)(-(T)INFINITY));
      tops[i] = NAME(maximum)(tops[i], scaled);
      NAME(store)(scores + i * row + c, scaled);
    }
  }
  NAME(transpose_block)(tops);
  for (size_t half = LANES / 2; half > 0; half /= 2)
    for (size_t i = 0; i < half; i++) tops[i] = NAME(maximum)(tops[i], tops[i + half]);
  NAME(store)(shift, NAME(choose)(tops[0] - tops[0] == 0, tops[0], (V){0}));
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
  for (size_t i = begin; i < end; i += LANES)
    NAME(softmax_block)(factor, end - i < LANES ? end - i : LANES, causal ? i + 1 : tokens, causal ? 1 : 0,
                        NAME(whole_vectors)(seen), room, weights + (i - begin) * room);
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

// The means for one head of one query per lane. The weights and their sum have the order of softmax_block.
static void NAME(attention_lanes)(T factor, size_t count, size_t width, size_t step, const T *q, const T *k,
                                  const T *v, T *y, T *weights) {
  V best = NAME(splat)(-(T)INFINITY), sums[LANES] = {{0}};
  for (size_t j = 0; j < count; j += 4) {
    const T *keys[4];
    for (size_t i = 0; i < 4; i++) keys[i] = k + (j + i < count ? j + i : count - 1) * step;
    V score[4] = {{0}};
    for (size_t c = 0; c < width; c++) {
      const V query = NAME(load)(q + c * LANES);
      for (size_t i = 0; i < 4; i++) score[i] = fma(query, NAME(load)(keys[i] + c * LANES), score[i]);
    }
    for (size_t i = 0; i < 4; i++) {
      best = NAME(maximum)(best, factor * score[i]);
      NAME(store)(weights + (j + i) * LANES, factor * score[i]);
    }
  }
  const V shift = NAME(choose)(best - best == 0, best, (V){0});
  for (size_t j = 0; j < count; j++) {
    const V power = NAME(exp)(NAME(load)(weights + j * LANES) - shift);
    sums[j % LANES] += power;
    NAME(store)(weights + j * LANES, power);
  }
  for (size_t half = LANES / 2; half > 0; half /= 2)
    for (size_t i = 0; i < half; i++) sums[i] += sums[i + half];
  for (size_t j = 0; j < count; j++)
    NAME(store)(weights + j * LANES, NAME(load)(weights + j * LANES) / sums[0]);
  for (size_t c = 0; c < width; c += 4) {
    size_t place[4];
    for (size_t i = 0; i < 4; i++) place[i] = (c + i < width ? c + i : width - 1) * LANES;
    V sum[4] = {{0}};
    for (size_t j = 0; j < count; j++) {
      const V weight = NAME(load)(weights + j * LANES);
      for (size_t i = 0; i < 4; i++) sum[i] = fma(weight, NAME(load)(v + j * step + place[i]), sum[i]);
    }
    for (size_t i = 0; i < 4; i++) NAME(store)(y + place[i], sum[i]);
  }
}

// A lane holds a row. The cache of LANES rows holds [token][keys and values][lane].
static void NAME(attention_step)(T factor, size_t rows, size_t tokens, size_t heads, size_t width, size_t room,
                                 const T *qkv, T *cache, T *y, T *scratch) {
  const size_t channels = heads * width, step = 2 * channels * LANES;
  T *const means = scratch + channels * LANES, *const weights = scratch + 3 * channels * LANES;
  for (size_t r = 0; r < rows; r += LANES, cache += room * step) {
    const size_t some = rows - r < LANES ? rows - r : LANES;
    V block[LANES];
    for (size_t c = 0; c < 3 * channels; c += LANES) {
      const size_t columns = 3 * channels - c < LANES ? 3 * channels - c : LANES;
      NAME(load_columns)(qkv + r * 3 * channels + c, some, 3 * channels, columns, block);
      for (size_t i = 0; i < columns; i++) NAME(store)(scratch + (c + i) * LANES, block[i]);
    }
    __builtin_memcpy(cache + tokens * step, means, step * sizeof(T));
    for (size_t h = 0; h < heads; h++) {
      const size_t own = h * width * LANES;
      NAME(attention_lanes)(factor, tokens + 1, width, step, scratch + own, cache + own,
                            cache + channels * LANES + own, means + own, weights);
    }
    for (size_t c = 0; c < channels; c += LANES) {
      const size_t columns = channels - c < LANES ? channels - c : LANES;
      for (size_t i = 0; i < LANES; i++)
        block[i] = i < columns ? NAME(load)(means + (c + i) * LANES) : (V){0};
      NAME(transpose_block)(block);
      for (size_t i = 0; i < some; i++) NAME(store_part)(y + (r + i) * channels + c, block[i], columns);
    }
  }
}
#undef BLOCK
