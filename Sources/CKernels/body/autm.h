// The flow of v' = sum_j size_j tanh(rate_j v + shift_j + time tempo_j) + linear v + constant over a unit of
// time, and s = dv/dx, of LANES numbers at a time. Each number has a lane, and its parameters are transposed
// into vectors: `units` rates, sizes, slopes, shifts and tempos, then linear and constant. The derivative of
// the velocity by v is sum_j slope_j (1 - tanh^2) + linear.

#define AUTM_SIZE (5 * CK_AUTM_UNITS + 2)

// The state at a stage and the velocities there; `t` are the values of tanh.
typedef struct NAME(autm_stage) {
  V v, s, velocity, derivative;
  V t[CK_AUTM_UNITS];
} NAME(autm_stage);

INLINE void NAME(autm_load)(size_t size, size_t count, const T *field, V *lanes) {
  T buffer[AUTM_SIZE * LANES];
  NAME(pack_transposed)(field, size, count, size, buffer, LANES);
  for (size_t i = 0; i < size; i++) lanes[i] = NAME(load)(buffer + i * LANES);
}

static void NAME(autm_velocity)(size_t units, const V *p, T time, NAME(autm_stage) *stage) {
  const V *const rate = p, *const size = p + units, *const slope = p + 2 * units;
  const V *const shift = p + 3 * units, *const tempo = p + 4 * units;
  V velocity = fma(p[5 * units], stage->v, p[5 * units + 1]), derivative = p[5 * units];
  for (size_t j = 0; j < units; j++) {
    const V t = NAME(tanh)(fma(rate[j], stage->v, fma(NAME(splat)(time), tempo[j], shift[j])));
    stage->t[j] = t;
    velocity = fma(size[j], t, velocity);
    derivative = fma(slope[j], 1 - t * t, derivative);
  }
  stage->velocity = velocity;
  stage->derivative = derivative;
}

// One step of the classical Runge-Kutta method from stage[0], and its four stages.
static void NAME(autm_step)(size_t units, size_t steps, size_t k, const V *p, NAME(autm_stage) *stage, V *v,
                            V *s) {
  const T h = (T)(1 / (double)steps), half = (T)0.5 * h, start = (T)((double)k / (double)steps);
  const T times[4] = {start, start + half, start + half, start + h}, lengths[4] = {0, half, half, h};
  for (int i = 0; i < 4; i++) {
    if (i > 0) {
      const NAME(autm_stage) *const last = &stage[i - 1];
      stage[i].v = fma(NAME(splat)(lengths[i]), last->velocity, stage[0].v);
      stage[i].s = fma(NAME(splat)(lengths[i]), last->derivative * last->s, stage[0].s);
    }
    NAME(autm_velocity)(units, p, times[i], &stage[i]);
  }
  V rise[4];
  for (int i = 0; i < 4; i++) rise[i] = stage[i].derivative * stage[i].s;
  const V sixth = NAME(splat)(h / 6);
  *v = fma(sixth, stage[0].velocity + 2 * stage[1].velocity + 2 * stage[2].velocity + stage[3].velocity,
           stage[0].v);
  *s = fma(sixth, rise[0] + 2 * rise[1] + 2 * rise[2] + rise[3], stage[0].s);
}

static void NAME(autm)(size_t units, size_t steps, size_t n, const T *x, const T *field, T *y, T *slope) {
  const size_t size = 5 * units + 2;
  for (size_t e = 0; e < n; e += LANES) {
    const size_t count = n - e < LANES ? n - e : LANES;
    V p[AUTM_SIZE];
    NAME(autm_stage) stage[4];
    NAME(autm_load)(size, count, field + e * size, p);
    V v = NAME(load_part)(x + e, count), s = NAME(splat)(1);
    for (size_t k = 0; k < steps; k++) {
      stage[0].v = v;
      stage[0].s = s;
      NAME(autm_step)(units, steps, k, p, stage, &v, &s);
    }
    NAME(store_part)(y + e, v, count);
    NAME(store_part)(slope + e, s, count);
  }
}

// Adds the cotangents of one stage: `a` of the velocity and `b` of derivative * s. Returns those of v and s.
static void NAME(autm_stage_back)(size_t units, const V *p, T time, const NAME(autm_stage) *stage, V a, V b,
                                  V *back, V *to_v, V *to_s) {
  const V *const rate = p, *const size = p + units, *const slope = p + 2 * units;
  const V to_derivative = b * stage->s;
  V sum = a * p[5 * units];
  for (size_t j = 0; j < units; j++) {
    const V t = stage->t[j], fall = 1 - t * t;
    const V z = fall * (a * size[j] - 2 * to_derivative * slope[j] * t);
    back[j] += z * stage->v;
    back[units + j] += a * t;
    back[2 * units + j] += to_derivative * fall;
    back[3 * units + j] += z;
    back[4 * units + j] += time * z;
    sum = fma(z, rate[j], sum);
  }
  back[5 * units] += a * stage->v + to_derivative;
  back[5 * units + 1] += a;
  *to_v = sum;
  *to_s = b * stage->derivative;
}

// Replays each step from its stored start, from the last to the first.
static void NAME(autm_pullback)(size_t units, size_t steps, size_t n, const T *g, const T *l, const T *x,
                                const T *field, T *gx, T *gfield) {
  const size_t size = 5 * units + 2;
  const T h = (T)(1 / (double)steps), half = (T)0.5 * h;
  const T lengths[4] = {0, half, half, h}, shares[4] = {h / 6, h / 3, h / 3, h / 6};
  for (size_t e = 0; e < n; e += LANES) {
    const size_t count = n - e < LANES ? n - e : LANES;
    V p[AUTM_SIZE], back[AUTM_SIZE], starts[CK_AUTM_STEPS][2];
    NAME(autm_stage) stage[4];
    NAME(autm_load)(size, count, field + e * size, p);
    for (size_t i = 0; i < size; i++) back[i] = (V){0};
    V v = NAME(load_part)(x + e, count), s = NAME(splat)(1);
    for (size_t k = 0; k < steps; k++) {
      starts[k][0] = stage[0].v = v;
      starts[k][1] = stage[0].s = s;
      if (k + 1 < steps) NAME(autm_step)(units, steps, k, p, stage, &v, &s);
    }
    V gv = g == NULL ? (V){0} : NAME(load_part)(g + e, count);
    V gs = l == NULL ? (V){0} : NAME(load_part)(l + e, count);
    for (size_t k = steps; k-- > 0;) {
      const T start = (T)((double)k / (double)steps);
      const T times[4] = {start, start + half, start + half, start + h};
      stage[0].v = starts[k][0];
      stage[0].s = starts[k][1];
      NAME(autm_step)(units, steps, k, p, stage, &v, &s);
      V next_v = {0}, next_s = {0}, sum_v = gv, sum_s = gs;
      for (int i = 3; i >= 0; i--) {
        const T length = i < 3 ? lengths[i + 1] : 0;
        const V a = shares[i] * gv + length * next_v, b = shares[i] * gs + length * next_s;
        NAME(autm_stage_back)(units, p, times[i], &stage[i], a, b, back, &next_v, &next_s);
        sum_v += next_v;
        sum_s += next_s;
      }
      gv = sum_v;
      gs = sum_s;
    }
    NAME(store_part)(gx + e, gv, count);
    for (size_t r = 0; r < count; r++)
      for (size_t i = 0; i < size; i++) gfield[(e + r) * size + i] = back[i][r];
  }
}
#undef AUTM_SIZE
