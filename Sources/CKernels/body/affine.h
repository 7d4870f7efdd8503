// The affine map y = x e^s + t and its inverse. A conditioner's raw rows [r(0..n), t(0..n)] give s and t.
//
// The loops run over runs of neighbours. A row of at least a vector is a run. Shorter rows make one run
// together, of a block of numbers, so that rows of two numbers fill the lanes too. Their raw numbers are
// copied apart.

#define BLOCK 512

INLINE V NAME(log_scale)(ck_scale form, T parameter, V r) {
  switch (form) {
    case CK_BOUNDED: return parameter * NAME(tanh)(r / parameter);
    case CK_LOG_SIGMOID: return -NAME(softplus)(-(r + parameter));
    default: return r;
  }
}

// The rows of the next block, of which `rows` are left.
INLINE size_t NAME(block_rows)(size_t rows, size_t n) {
  return rows < BLOCK / n ? rows : BLOCK / n;
}

// The derivative ds/dr as a function of s, and of r where s is near its bound.
INLINE V NAME(log_scale_slope)(ck_scale form, T parameter, V s, const T *r, size_t count) {
  if (form == CK_LOG_SIGMOID) return -NAME(expm1)(s);
  if (form != CK_BOUNDED) return NAME(splat)(1);
  V share = s / parameter, slope = 1 - share * share;
  if (!__builtin_reduce_or(slope < SLOPE_TAIL)) return slope;
  return NAME(tanh_slope)(NAME(load_part)(r, count) / parameter, share);
}

// A run of `n` neighbours.
INLINE void NAME(affine_run)(ck_scale form, T parameter, bool inverse, size_t n, const T *x, const T *r,
                             const T *t, T *y, T *log_scale) {
  for (size_t e = 0; e < n; e += LANES) {
    const size_t count = n - e < LANES ? n - e : LANES;
    V s = NAME(log_scale)(form, parameter, NAME(load_part)(r + e, count));
    V shift = NAME(load_part)(t + e, count);
    V v = NAME(load_part)(x + e, count);
    NAME(store_part)(log_scale + e, s, count);
    NAME(store_part)(y + e, inverse ? (v - shift) * NAME(exp)(-s) : v * NAME(exp)(s) + shift, count);
  }
}

static void NAME(affine)(ck_scale form, T parameter, bool inverse, size_t rows, size_t n, const T *x,
                         const T *raw, T *y, T *log_scale) {
  if (n >= LANES) {
    for (size_t i = 0; i < rows; i++)
      NAME(affine_run)(form, parameter, inverse, n, x + i * n, raw + i * 2 * n, raw + i * 2 * n + n,
                       y + i * n, log_scale + i * n);
    return;
  }
  T r[BLOCK], t[BLOCK];
  for (size_t i = 0, some; n > 0 && i < rows; i += some) {
    some = NAME(block_rows)(rows - i, n);
    NAME(copy_rows)(some, n, raw + i * 2 * n, 2 * n, r, n);
    NAME(copy_rows)(some, n, raw + i * 2 * n + n, 2 * n, t, n);
    NAME(affine_run)(form, parameter, inverse, some * n, x + i * n, r, t, y + i * n, log_scale + i * n);
  }
}

// The forward map has gx = g e^s, gt = g and gs = g x e^s + l. The inverse y = (x - t) e^-s has gx = g e^-s,
// gt = -gx and gs = -(g y + l). v is x or, for the inverse, y. l has a number for each element or, if
// `is_one`, one for all.
INLINE void NAME(affine_pullback_run)(ck_scale form, T parameter, bool inverse, size_t n, const T *g,
                                      const T *l, bool is_one, const T *v, const T *r, const T *log_scale,
                                      T *gx, T *gr, T *gt) {
  for (size_t e = 0; e < n; e += LANES) {
    const size_t count = n - e < LANES ? n - e : LANES;
    V s = NAME(load_part)(log_scale + e, count);
    V gy = g == NULL ? (V){0} : NAME(load_part)(g + e, count);
    V gl = l == NULL ? (V){0} : is_one ? NAME(splat)(*l) : NAME(load_part)(l + e, count);
    V to_x = gy * NAME(exp)(inverse ? -s : s), own = NAME(load_part)(v + e, count);
    V to_s = inverse ? -(gy * own + gl) : to_x * own + gl;
    NAME(store_part)(gx + e, to_x, count);
    NAME(store_part)(gr + e, to_s * NAME(log_scale_slope)(form, parameter, s, r + e, count), count);
    NAME(store_part)(gt + e, inverse ? -to_x : gy, count);
  }
}

static void NAME(affine_pullback)(ck_scale form, T parameter, bool inverse, size_t rows, size_t n, const T *g,
                                  const T *l, const T *x, const T *raw, const T *y, const T *log_scale, T *gx,
                                  T *graw) {
  const T *const v = inverse ? y : x;
  if (n >= LANES) {
    for (size_t i = 0; i < rows; i++)
      NAME(affine_pullback_run)(form, parameter, inverse, n, g == NULL ? NULL : g + i * n,
                                l == NULL ? NULL : l + i, true, v + i * n, raw + i * 2 * n, log_scale + i * n,
                                gx + i * n, graw + i * 2 * n, graw + i * 2 * n + n);
    return;
  }
  T r[BLOCK], gr[BLOCK], gt[BLOCK], gl[BLOCK];
  for (size_t i = 0, some; n > 0 && i < rows; i += some) {
    some = NAME(block_rows)(rows - i, n);
    NAME(copy_rows)(some, n, raw + i * 2 * n, 2 * n, r, n);
    for (size_t c = 0; l != NULL && c < n; c++) NAME(copy_rows)(some, 1, l + i, 1, gl + c, n);
    NAME(affine_pullback_run)(form, parameter, inverse, some * n, g == NULL ? NULL : g + i * n,
                              l == NULL ? NULL : gl, false, v + i * n, r, log_scale + i * n, gx + i * n, gr,
                              gt);
    NAME(copy_rows)(some, n, gr, n, graw + i * 2 * n, 2 * n);
    NAME(copy_rows)(some, n, gt, n, graw + i * 2 * n + n, 2 * n);
  }
}
#undef BLOCK
