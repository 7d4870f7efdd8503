// Attention of one more token. A lane holds a row.

// The means of one head. The weights and their sum have the order of softmax_block.
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
  const V shift = NAME(finite_or_zero)(best);
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

// The cache of LANES rows holds [token][keys and values][lane].
static void NAME(attention_step)(const ck_heads *a, size_t rows, size_t tokens, size_t room, const T *qkv,
                                 T *cache, T *y, T *scratch) {
  const size_t width = a->width, channels = a->heads * width, step = 2 * channels * LANES;
  T *const means = scratch + channels * LANES, *const weights = means + channels * LANES;
  for (size_t r = 0; r < rows; r += LANES, cache += room * step) {
    const size_t some = rows - r < LANES ? rows - r : LANES;
    V block[LANES];
    for (size_t c = 0; c < 3 * channels; c += LANES) {
      const size_t columns = 3 * channels - c < LANES ? 3 * channels - c : LANES;
      NAME(load_columns)(qkv + r * 3 * channels + c, some, 3 * channels, columns, block);
      for (size_t i = 0; i < columns; i++) {
        const size_t place = c + i;
        T *const to = place < channels ? scratch + place * LANES
                                       : cache + tokens * step + (place - channels) * LANES;
        NAME(store)(to, block[i]);
      }
    }
    for (size_t h = 0; h < a->heads; h++) {
      const size_t own = h * width * LANES;
      NAME(attention_lanes)((T)a->factor, tokens + 1, width, step, scratch + own, cache + own,
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
