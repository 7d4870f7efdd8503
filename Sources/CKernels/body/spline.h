// Rational-quadratic splines of LANES numbers at a time. Each number has a lane, and its raw parameters are
// transposed into vectors. The doc comments of `RationalQuadraticSpline` derive the formulas, with the same
// names.

typedef struct NAME(bin) {
  V share[2][CK_SPLINE_BINS];  // softmaxes of the raw widths and of the raw heights
  V below[2];                  // their sums before the bin
  V index;
  V corner[2], extent[2];                  // the bin's left corner and its size in x and y
  V raw_derivative[2], derivative[2];      // at the left and the right corner
  I is_learned[2];                         // whether that derivative has a raw number
  V theta, tau;                            // the relative position of the number in the bin
} NAME(bin);

INLINE size_t NAME(spline_raw)(const ck_spline_form *s) {
  return 3 * s->bins - (s->circular ? 0 : 1);
}

// Computes the softmax of the raw numbers of one axis.
INLINE void NAME(spline_shares)(size_t bins, const V *raw, V *share) {
  V most = raw[0], sum = {0};
  for (size_t i = 1; i < bins; i++) most = NAME(maximum)(most, raw[i]);
  for (size_t i = 0; i < bins; i++) {
    share[i] = NAME(exp)(raw[i] - most);
    sum += share[i];
  }
  for (size_t i = 0; i < bins; i++) share[i] /= sum;
}

// The bin of a number within the bounds; `axis` 0 finds it among the knots of x, 1 among those of y.
INLINE void NAME(spline_find)(const ck_spline_form *s, int axis, V number, const V *raw, NAME(bin) *bin) {
  const size_t bins = s->bins;
  const T bound = (T)s->bound, least = (T)s->least_bin, rest = (T)(1 - s->least_bin * (double)bins);
  V knot[2][CK_SPLINE_BINS + 1];
  for (int a = 0; a < 2; a++) {
    NAME(spline_shares)(bins, raw + (size_t)a * bins, bin->share[a]);
    V sum = {0};
    knot[a][0] = NAME(splat)(-bound);
    for (size_t i = 1; i < bins; i++) {
      sum += least + rest * bin->share[a][i - 1];
      knot[a][i] = 2 * bound * sum - bound;
    }
    knot[a][bins] = NAME(splat)(bound);
  }
  bin->index = (V){0};
  for (size_t i = 1; i < bins; i++)
    bin->index += NAME(choose)(knot[axis][i] <= number, NAME(splat)(1), (V){0});

  V right[2] = {{0}, {0}}, sum[2] = {{0}, {0}};
  for (size_t i = 0; i < bins; i++) {
    const I here = bin->index == (T)i;
    for (int a = 0; a < 2; a++) {
      bin->corner[a] = i == 0 ? knot[a][0] : NAME(choose)(here, knot[a][i], bin->corner[a]);
      right[a] = NAME(choose)(here, knot[a][i + 1], right[a]);
      bin->below[a] = i == 0 ? (V){0} : NAME(choose)(here, sum[a], bin->below[a]);
      sum[a] += bin->share[a][i];
    }
  }
  for (int a = 0; a < 2; a++) bin->extent[a] = right[a] - bin->corner[a];

  const V *const slopes = raw + 2 * bins;
  for (int end = 0; end < 2; end++) {
    const V at = bin->index + (T)end;
    V found = {0};
    for (size_t i = s->circular ? 0 : 1; i <= (s->circular ? bins : bins - 1); i++)
      found = NAME(choose)(at == (T)i, slopes[s->circular ? i % bins : i - 1], found);
    bin->is_learned[end] = s->circular ? (I){0} == 0 : (at > 0) & (at < (T)bins);
    bin->raw_derivative[end] = found + (T)s->offset;
    const V slope = (T)s->least_derivative + NAME(softplus)(bin->raw_derivative[end]);
    const V learned = NAME(choose)(slope > CK_SPLINE_STEEPEST, NAME(splat)(CK_SPLINE_STEEPEST), slope);
    bin->derivative[end] = NAME(choose)(bin->is_learned[end], learned, NAME(splat)(1));
  }
}

// Finds a number's bin and where it lies in it: theta from the left corner to 1, tau = 1 - theta.
INLINE void NAME(spline_place)(const ck_spline_form *s, bool inverse, V number, const V *raw,
                               NAME(bin) *bin) {
  NAME(spline_find)(s, inverse, number, raw, bin);
  const V slope = bin->extent[1] / bin->extent[0], p = bin->derivative[0], q = bin->derivative[1];
  if (!inverse) {
    bin->theta = (number - bin->corner[0]) / bin->extent[0];
    bin->tau = 1 - bin->theta;
    return;
  }
  const V xi = (number - bin->corner[1]) / bin->extent[1], rest = 1 - xi;
  const V m = p * rest - q * xi;
  const V root = __builtin_elementwise_sqrt(m * m + (2 * slope) * (2 * slope) * (xi * rest));
  const I left = m >= 0;
  const V outer = root + NAME(magnitude)(m);
  const V a = NAME(choose)(left, 2 * slope * xi, outer), b = NAME(choose)(left, outer, 2 * slope * rest);
  bin->theta = a / (a + b);
  bin->tau = b / (a + b);
}

INLINE V NAME(spline_denominator)(const NAME(bin) *bin, V slope) {
  return slope * (bin->theta * bin->theta + bin->tau * bin->tau) +
         (bin->derivative[0] + bin->derivative[1]) * (bin->theta * bin->tau);
}

INLINE V NAME(spline_rise)(const NAME(bin) *bin, V slope) {
  return bin->derivative[1] * (bin->theta * bin->theta) + 2 * slope * (bin->theta * bin->tau) +
         bin->derivative[0] * (bin->tau * bin->tau);
}

// Maps `count` numbers. The other lanes hold unused copies.
INLINE void NAME(spline_load)(size_t size, size_t count, const T *raw, V *lanes) {
  T buffer[3 * CK_SPLINE_BINS * LANES];
  NAME(pack_transposed)(raw, size, count, size, buffer, LANES);
  for (size_t i = 0; i < size; i++) lanes[i] = NAME(load)(buffer + i * LANES);
}

static void NAME(spline_store)(size_t size, size_t count, const V *lanes, T *raw) {
  if (count < LANES || size < LANES) {
    for (size_t r = 0; r < count; r++)
      for (size_t i = 0; i < size; i++) raw[r * size + i] = lanes[i][r];
    return;
  }
  for (size_t done = 0; done < size; done += LANES) {
    const size_t i = done + LANES <= size ? done : size - LANES;
    V v[LANES];
#pragma clang loop unroll(full)
    for (size_t r = 0; r < LANES; r++) v[r] = lanes[i + r];
    NAME(transpose_block)(v);
#pragma clang loop unroll(full)
    for (size_t r = 0; r < LANES; r++) NAME(store)(raw + r * size + i, v[r]);
  }
}

INLINE I NAME(spline_inside)(const ck_spline_form *s, V number) {
  return NAME(magnitude)(number) <= (T)s->bound;
}

static void NAME(spline)(const ck_spline_form *s, bool inverse, size_t n, const T *x, const T *raw, T *y,
                         T *log_slope) {
  const size_t size = NAME(spline_raw)(s);
  for (size_t e = 0; e < n; e += LANES) {
    const size_t count = n - e < LANES ? n - e : LANES;
    V lanes[3 * CK_SPLINE_BINS];
    NAME(bin) bin;
    NAME(spline_load)(size, count, raw + e * size, lanes);
    const V number = NAME(load_part)(x + e, count);
    const I inside = NAME(spline_inside)(s, number);
    NAME(spline_place)(s, inverse, NAME(choose)(inside, number, (V){0}), lanes, &bin);
    const V slope = bin.extent[1] / bin.extent[0], d = NAME(spline_denominator)(&bin, slope);
    const V image = inverse ? bin.corner[0] + bin.extent[0] * bin.theta
                            : bin.corner[1] + bin.extent[1] * (slope * (bin.theta * bin.theta) +
                                                               bin.derivative[0] * (bin.theta * bin.tau)) / d;
    const V steepness = NAME(log)(NAME(spline_rise)(&bin, slope)) + 2 * NAME(log)(slope / d);
    NAME(store_part)(y + e, NAME(choose)(inside, image, number), count);
    NAME(store_part)(log_slope + e, NAME(choose)(inside, steepness, (V){0}), count);
  }
}

// Pulls the cotangents of y and log dy/dx back to the bin's quantities, and through them to x.
typedef struct NAME(bin_cotangents) {
  V x, corner[2], extent[2], derivative[2];
} NAME(bin_cotangents);

// Differentiates y = y0 + h N / D and log dy/dx = log M + 2 log(s / D) by N, D and M, and these by the bin's
// quantities.
INLINE NAME(bin_cotangents) NAME(spline_back)(const NAME(bin) *bin, V gy, V gl) {
  const V theta = bin->theta, tau = bin->tau, p = bin->derivative[0], q = bin->derivative[1];
  const V width = bin->extent[0], height = bin->extent[1], s = height / width;
  const V both = theta * tau, left = theta * theta, right = tau * tau;
  const V n = s * left + p * both, d = NAME(spline_denominator)(bin, s), share = n / d;
  const V gn = gy * height / d, gm = gl / NAME(spline_rise)(bin, s);
  const V gd = -(gn * share) - 2 * gl / d;
  const V gs = gn * left + gd * (left + right) + 2 * gm * both + 2 * gl / s;
  const V g_theta = gn * (2 * s * theta + p * tau) + gd * (2 * s * theta + (p + q) * tau)
                    + 2 * gm * (q * theta + s * tau);
  const V g_tau = gn * (p * theta) + gd * (2 * s * tau + (p + q) * theta) + 2 * gm * (s * theta + p * tau);
  NAME(bin_cotangents) g;
  g.x = (g_theta - g_tau) / width;
  g.corner[0] = -g.x;
  g.corner[1] = gy;
  g.extent[0] = -(gs * s / width) - g.x * theta;
  g.extent[1] = gy * share + gs / width;
  g.derivative[0] = (gn + gd) * both + gm * right;
  g.derivative[1] = gd * both + gm * left;
  return g;
}

// Carries the cotangents of the bin's quantities to the raw numbers: through the knots' running sums, the
// softmaxes and the softplus.
INLINE void NAME(spline_raw_back)(const ck_spline_form *s, const NAME(bin) *bin,
                                  const NAME(bin_cotangents) *g, I inside, V *raw) {
  const size_t bins = s->bins;
  const T whole = (T)(2 * s->bound * (1 - s->least_bin * (double)bins));
  const I inner[2] = {bin->index > 0, bin->index < (T)(bins - 1)};  // the corners that move
  for (int a = 0; a < 2; a++) {
    const V start = NAME(choose)(inner[0] & inside, whole * (g->corner[a] - g->extent[a]), (V){0});
    const V end = NAME(choose)(inner[1] & inside, whole * g->extent[a], (V){0});
    V own = {0};
    for (size_t i = 0; i < bins; i++) own = NAME(choose)(bin->index == (T)i, bin->share[a][i], own);
    const V mean = start * bin->below[a] + end * (bin->below[a] + own);
    for (size_t i = 0; i < bins; i++) {
      const V at = NAME(choose)(bin->index > (T)i, start, (V){0})
                   + NAME(choose)(bin->index >= (T)i, end, (V){0});
      raw[(size_t)a * bins + i] = bin->share[a][i] * (at - mean);
    }
  }
  V *const slopes = raw + 2 * bins;
  for (size_t i = 0; i < (s->circular ? bins : bins - 1); i++) slopes[i] = (V){0};
  for (int end = 0; end < 2; end++) {
    const V at = bin->index + (T)end, r = bin->raw_derivative[end];
    const I moves = bin->is_learned[end] & inside & (bin->derivative[end] < CK_SPLINE_STEEPEST);
    const V slope = NAME(choose)(moves, g->derivative[end] * NAME(sigmoid)(r), (V){0});
    for (size_t i = s->circular ? 0 : 1; i <= (s->circular ? bins : bins - 1); i++)
      slopes[s->circular ? i % bins : i - 1] += NAME(choose)(at == (T)i, slope, (V){0});
  }
}

// The inverse solves y = F(x), so dx = (dy - dF) / F'. Let a and c be the cotangents of x and of
// l = log dy/dx, and A = a + c dl/dx. Then A / F' is the cotangent of y. The forward map's pullback of
// (-A / F', c) gives the cotangents of the raw numbers.
static void NAME(spline_pullback)(const ck_spline_form *s, bool inverse, size_t n, const T *g, const T *l,
                                  const T *x, const T *raw, T *gx, T *graw) {
  const size_t size = NAME(spline_raw)(s);
  for (size_t e = 0; e < n; e += LANES) {
    const size_t count = n - e < LANES ? n - e : LANES;
    V lanes[3 * CK_SPLINE_BINS];
    NAME(bin) bin;
    NAME(spline_load)(size, count, raw + e * size, lanes);
    const V number = NAME(load_part)(x + e, count);
    const I inside = NAME(spline_inside)(s, number);
    NAME(spline_place)(s, inverse, NAME(choose)(inside, number, (V){0}), lanes, &bin);
    const V gy = g == NULL ? (V){0} : NAME(load_part)(g + e, count);
    const V gl = l == NULL ? (V){0} : NAME(load_part)(l + e, count);
    NAME(bin_cotangents) back;
    V to_number;
    if (inverse) {
      const V slope = bin.extent[1] / bin.extent[0];
      const V d = NAME(spline_denominator)(&bin, slope), part = slope / d;
      const V steepness = part * part * NAME(spline_rise)(&bin, slope);
      to_number = (gy + NAME(spline_back)(&bin, (V){0}, gl).x) / steepness;
      back = NAME(spline_back)(&bin, -to_number, gl);
    } else {
      back = NAME(spline_back)(&bin, gy, gl);
      to_number = back.x;
    }
    NAME(spline_raw_back)(s, &bin, &back, inside, lanes);
    NAME(store_part)(gx + e, NAME(choose)(inside, to_number, gy), count);
    NAME(spline_store)(size, count, lanes, graw + e * size);
  }
}
