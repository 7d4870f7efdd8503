// The affine map y = x e^s + t and its inverse. A conditioner's raw rows [r(0..n), t(0..n)] give s and t.
//
// The loops run over all elements in row-major order. Rows of at least a vector are read as vectors. The raw
// numbers of shorter rows are gathered one by one, so that rows of two numbers fill the lanes too.

INLINE V NAME(log_scale)(ck_scale form, T parameter, V r) {
  switch (form) {
    case CK_BOUNDED: return parameter * NAME(tanh)(r / parameter);
    case CK_LOG_SIGMOID: return -NAME(softplus)(-(r + parameter));
    default: return r;
  }
}

// The number of elements from e on that go into one vector.
INLINE size_t NAME(affine_count)(size_t e, size_t rows, size_t n) {
  size_t left = n >= LANES ? n - e % n : rows * n - e;
  return left < LANES ? left : LANES;
}

// The raw numbers of `count` elements from e on: r if shift is 0, t if it is n.
INLINE V NAME(load_raw)(const T *raw, size_t e, size_t n, size_t count, size_t shift) {
  size_t row = e / n, column = e % n;
  const T *p = raw + row * 2 * n + shift;
  if (count == LANES && n >= LANES) return NAME(load)(p + column);
  T lanes[LANES] = {0};
  for (size_t i = 0; i < count; i++) {
    lanes[i] = p[column];
    if (++column == n) column = 0, p += 2 * n;
  }
  return NAME(load)(lanes);
}

// The derivative ds/dr as a function of s, and of r where s is near its bound.
INLINE V NAME(log_scale_slope)(ck_scale form, T parameter, V s, const T *raw, size_t e, size_t n,
                               size_t count) {
  if (form == CK_LOG_SIGMOID) return -NAME(expm1)(s);
  if (form != CK_BOUNDED) return NAME(splat)(1);
  V share = s / parameter, slope = 1 - share * share;
  if (!__builtin_reduce_or(slope < SLOPE_TAIL)) return slope;
  return NAME(tanh_slope)(NAME(load_raw)(raw, e, n, count, 0) / parameter, share);
}

INLINE void NAME(store_raw)(T *raw, V v, size_t e, size_t n, size_t count, size_t shift) {
  size_t row = e / n, column = e % n;
  T *p = raw + row * 2 * n + shift;
  T lanes[LANES];
  NAME(store)(lanes, v);
  for (size_t i = 0; i < count; i++) {
    p[column] = lanes[i];
    if (++column == n) column = 0, p += 2 * n;
  }
}

INLINE V NAME(load_part)(const T *p, size_t count) {
  return count == LANES ? NAME(load)(p) : NAME(load_some)(p, count);
}

INLINE void NAME(store_part)(T *p, V v, size_t count) {
  if (count == LANES) NAME(store)(p, v); else NAME(store_some)(p, v, count);
}

// A row's number, repeated for its elements.
INLINE V NAME(load_row)(const T *p, size_t e, size_t n, size_t count) {
  if (p == NULL) return (V){0};
  if (n >= LANES) return NAME(splat)(p[e / n]);
  size_t row = e / n, column = e % n;
  T lanes[LANES] = {0};
  for (size_t i = 0; i < count; i++) {
    lanes[i] = p[row];
    if (++column == n) column = 0, row++;
  }
  return NAME(load)(lanes);
}

static void NAME(affine)(ck_scale form, T parameter, bool inverse, size_t rows, size_t n, const T *x,
                         const T *raw, T *y, T *log_scale) {
  size_t count;
  for (size_t e = 0; e < rows * n; e += count) {
    count = NAME(affine_count)(e, rows, n);
    V s = NAME(log_scale)(form, parameter, NAME(load_raw)(raw, e, n, count, 0));
    V t = NAME(load_raw)(raw, e, n, count, n);
    V v = NAME(load_part)(x + e, count);
    NAME(store_part)(log_scale + e, s, count);
    NAME(store_part)(y + e, inverse ? (v - t) * NAME(exp)(-s) : v * NAME(exp)(s) + t, count);
  }
}

// The forward map has gx = g e^s, gt = g and gs = g x e^s + l. The inverse y = (x - t) e^-s has gx = g e^-s,
// gt = -gx and gs = -(g y + l).
static void NAME(affine_pullback)(ck_scale form, T parameter, bool inverse, size_t rows, size_t n, const T *g,
                                  const T *l, const T *x, const T *raw, const T *y, const T *log_scale, T *gx,
                                  T *graw) {
  size_t count;
  for (size_t e = 0; e < rows * n; e += count) {
    count = NAME(affine_count)(e, rows, n);
    V s = NAME(load_part)(log_scale + e, count);
    V gy = g == NULL ? (V){0} : NAME(load_part)(g + e, count);
    V gl = NAME(load_row)(l, e, n, count);
    V v = NAME(load_part)(inverse ? y + e : x + e, count);
    V to_x = gy * NAME(exp)(inverse ? -s : s);
    V to_s = inverse ? -(gy * v + gl) : to_x * v + gl;
    NAME(store_part)(gx + e, to_x, count);
    V slope = NAME(log_scale_slope)(form, parameter, s, raw, e, n, count);
    NAME(store_raw)(graw, to_s * slope, e, n, count, 0);
    NAME(store_raw)(graw, inverse ? -to_x : gy, e, n, count, n);
  }
}
