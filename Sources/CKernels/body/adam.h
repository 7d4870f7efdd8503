// Whole vectors of moments of a large leaf go past the cache. They are read in the next step, and a step of a
// large model leaves little of them in a cache.
INLINE void NAME(store_moment)(T *p, V v, size_t count, bool past_cache) {
  if (past_cache && count == LANES) __builtin_nontemporal_store(v, (V *)p);
  else NAME(store_part)(p, v, count);
}

// One pass of Adam over a leaf, in the order of operations that its formula is written in.
static void NAME(adam)(const ck_adam_numbers *a, bool moves, size_t n, const T *g, const T *mean,
                       const T *square, const T *weight, T *next_mean, T *next_square, T *result) {
  const T b1 = (T)a->mean_decay, c1 = (T)(1 - a->mean_decay);
  const T b2 = (T)a->square_decay, c2 = (T)(1 - a->square_decay);
  const T mean_scale = (T)a->mean_scale, square_scale = (T)a->square_scale;
  const T epsilon = (T)a->epsilon, decay = (T)a->weight_decay, rate = (T)-a->rate;
  const bool are_aligned = ((uintptr_t)next_mean | (uintptr_t)next_square) % sizeof(V) == 0;
  const bool past_cache = n * sizeof(T) >= 1 << 20 && are_aligned;
  size_t count;
  for (size_t i = 0; i < n; i += count) {
    count = n - i < LANES ? n - i : LANES;
    V gv = NAME(load_part)(g + i, count);
    V m = b1 * NAME(load_part)(mean + i, count) + c1 * gv;
    V v = b2 * NAME(load_part)(square + i, count) + c2 * (gv * gv);
    V s = m * mean_scale / (__builtin_elementwise_sqrt(v * square_scale) + epsilon);
    V w = decay != 0 || moves ? NAME(load_part)(weight + i, count) : (V){0};
    if (decay != 0) s = s + decay * w;
    s = rate * s;
    NAME(store_moment)(next_mean + i, m, count, past_cache);
    NAME(store_moment)(next_square + i, v, count, past_cache);
    NAME(store_part)(result + i, moves ? w + s : s, count);
  }
  if (past_cache) __atomic_thread_fence(__ATOMIC_SEQ_CST);  // other threads see these stores
}
