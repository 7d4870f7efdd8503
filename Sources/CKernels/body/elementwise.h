// The loops over elementwise functions, and the functions' accuracy.
//
// The table lists the largest measured errors in units of the last place. The reference is x87 arithmetic
// with a 64-bit mantissa. The arguments of f32 functions were every 11th bit pattern (of cos and atan every
// 97th). Those of f64 functions and pow were a million random numbers or more of all binades. No bound is
// proved.
//
//              f32    f64                  f32    f64                  f32    f64
//   exp        0.98   0.98     tanh        1.49   1.50     sin, cos    1.58   1.56   any finite argument
//   expm1      1.42   1.80     sigmoid     1.92   1.88     atan        1.36   1.37
//   log        0.93   0.92     softplus    1.80   1.65     pow         0.51   1.20
//   log1p      1.54   1.40     erf         1.21   1.72
//
// The derivatives of tanh, sigmoid and expm1 keep 14 digits in f64, and 5e-6 in f32, in all their tails.
//
// erfinv has the error of Giles' formula: near 1 it starts from a rounded x * x, as in XLA. Subnormal
// arguments and results have the same accuracy. sqrt and the four basic operations are those of IEEE 754.
//
// Each loop runs over whole vectors. A tail is copied to a padded vector and back, so that it takes the same
// instructions.
#define CASE(opcode, result) \
  case opcode: \
    for (size_t i = 0; i < n; i += LANES) { \
      V x = NAME(load)(px + i); \
      NAME(store)(y + i, result); \
    } \
    break;

static void NAME(unary_whole)(ck_function f, const T *px, T *y, size_t n) {
  switch (f) {
    CASE(CK_NEGATE, -x)
    CASE(CK_ABS, NAME(magnitude)(x))
    CASE(CK_SIGN, NAME(sign)(x))
    CASE(CK_SQUARE, x * x)
    CASE(CK_SQRT, __builtin_elementwise_sqrt(x))
    CASE(CK_RECIPROCAL, 1 / x)
    CASE(CK_FLOOR, __builtin_elementwise_floor(x))
    CASE(CK_RELU, NAME(relu)(x))
    CASE(CK_EXP, NAME(exp)(x))
    CASE(CK_EXPM1, NAME(expm1)(x))
    CASE(CK_LOG, NAME(log)(x))
    CASE(CK_LOG1P, NAME(log1p)(x))
    CASE(CK_TANH, NAME(tanh)(x))
    CASE(CK_SIGMOID, NAME(sigmoid)(x))
    CASE(CK_SOFTPLUS, NAME(softplus)(x))
    CASE(CK_ERF, NAME(erf)(x))
    CASE(CK_ERFINV, NAME(erfinv)(x))
    CASE(CK_GELU, NAME(gelu)(x))
    CASE(CK_SIN, NAME(sin)(x))
    CASE(CK_COS, NAME(cos)(x))
    CASE(CK_ATAN, NAME(atan)(x))
    CASE(CK_TANH_SLOPE, NAME(tanh_slope)(x, NAME(tanh)(x)))
    CASE(CK_SIGMOID_SLOPE, NAME(sigmoid_slope)(x, NAME(sigmoid)(x)))
  }
}
#undef CASE

static void NAME(unary)(ck_function f, const T *x, T *y, size_t n) {
  size_t whole = n / LANES * LANES, rest = n - whole;
  NAME(unary_whole)(f, x, y, whole);
  if (rest == 0) return;
  T lanes[LANES];
  NAME(store)(lanes, NAME(load_some)(x + whole, rest));
  NAME(unary_whole)(f, lanes, lanes, LANES);
  for (size_t i = 0; i < rest; i++) y[whole + i] = lanes[i];
}

#define CASE(opcode, result) \
  case opcode: \
    for (size_t i = 0; i < n; i += LANES) { \
      V a = NAME(load)(pa + i * a_step); \
      V b = NAME(load)(pb + i * b_step); \
      NAME(store)(y + i, result); \
    } \
    break;

// A step of 0 repeats the first vector, which then holds one value in every lane.
static void NAME(binary_whole)(ck_operation f, const T *pa, size_t a_step, const T *pb, size_t b_step, T *y,
                               size_t n) {
  const V zero = {0}, one = 1 - zero;
  switch (f) {
    CASE(CK_ADD, a + b)
    CASE(CK_SUBTRACT, a - b)
    CASE(CK_MULTIPLY, a * b)
    CASE(CK_DIVIDE, a / b)
    CASE(CK_MAXIMUM, NAME(maximum)(a, b))
    CASE(CK_MINIMUM, NAME(choose)((a < b) | (a != a), a, b))
    CASE(CK_POW, NAME(pow)(a, b))
    CASE(CK_LESS, NAME(choose)(a < b, one, zero))
    CASE(CK_LESS_EQUAL, NAME(choose)(a <= b, one, zero))
    CASE(CK_EQUAL, NAME(choose)(a == b, one, zero))
    CASE(CK_NOT_EQUAL, NAME(choose)(a != b, one, zero))
    CASE(CK_D_RELU, NAME(choose)(b > 0, a, zero))
    CASE(CK_D_TANH, a * (1 - b * b))
    CASE(CK_D_SIGMOID, a * (b * (1 - b)))
    CASE(CK_D_SOFTPLUS, a * NAME(sigmoid)(b))
    CASE(CK_D_LOG1P, a / (1 + b))
    CASE(CK_D_ERF, a * (TWO_OVER_ROOT_PI * NAME(exp)(-b * b)))
    CASE(CK_D_ERFINV, a * (HALF_ROOT_PI * NAME(exp)(b * b)))
    CASE(CK_D_SIN, a * NAME(cos)(b))
    CASE(CK_D_COS, a * -NAME(sin)(b))
    CASE(CK_D_ATAN, a / (1 + b * b))
    CASE(CK_D_SQRT, NAME(choose)(b == 0, zero, a * (T)0.5 / b))
    CASE(CK_D_ABS, a * NAME(sign)(b))
  }
}
#undef CASE

static void NAME(binary)(ck_operation f, const T *a, int a_step, const T *b, int b_step, T *y, size_t n) {
  if (n == 0) return;
  T a_lanes[LANES], b_lanes[LANES], y_lanes[LANES];
  if (a_step == 0) NAME(store)(a_lanes, NAME(splat)(*a)), a = a_lanes;
  if (b_step == 0) NAME(store)(b_lanes, NAME(splat)(*b)), b = b_lanes;
  size_t whole = n / LANES * LANES, rest = n - whole;
  NAME(binary_whole)(f, a, (size_t)a_step, b, (size_t)b_step, y, whole);
  if (rest == 0) return;
  if (a_step != 0) NAME(store)(a_lanes, NAME(load_some)(a + whole, rest));
  if (b_step != 0) NAME(store)(b_lanes, NAME(load_some)(b + whole, rest));
  NAME(binary_whole)(f, a_lanes, 1, b_lanes, 1, y_lanes, LANES);
  for (size_t i = 0; i < rest; i++) y[whole + i] = y_lanes[i];
}

#define CASE(opcode, slope) \
  case opcode: \
    for (size_t i = 0; i < n; i += LANES) { \
      V x = NAME(load)(px + i), fx = NAME(load)(pf + i); \
      NAME(store)(y + i, NAME(load)(g + i) * slope(x, fx)); \
    } \
    break;

static void NAME(chain_whole)(ck_function f, const T *g, const T *px, const T *pf, T *y, size_t n) {
  switch (f) {
    CASE(CK_TANH, NAME(tanh_slope))
    CASE(CK_SIGMOID, NAME(sigmoid_slope))
    CASE(CK_EXPM1, NAME(expm1_slope))
    CASE(CK_GELU, NAME(gelu_slope))
    default: break;
  }
}
#undef CASE

static void NAME(chain)(ck_function f, const T *g, const T *x, const T *fx, T *y, size_t n) {
  size_t whole = n / LANES * LANES, rest = n - whole;
  NAME(chain_whole)(f, g, x, fx, y, whole);
  if (rest == 0) return;
  T g_lanes[LANES], x_lanes[LANES], f_lanes[LANES], y_lanes[LANES];
  NAME(store)(g_lanes, NAME(load_some)(g + whole, rest));
  NAME(store)(x_lanes, NAME(load_some)(x + whole, rest));
  NAME(store)(f_lanes, NAME(load_some)(fx + whole, rest));
  NAME(chain_whole)(f, g_lanes, x_lanes, f_lanes, y_lanes, LANES);
  for (size_t i = 0; i < rest; i++) y[whole + i] = y_lanes[i];
}

// A selection has no arithmetic, so its tail needs no padding.
static void NAME(select)(const T *mask, int mask_step, const T *a, int a_step, const T *b, int b_step, T *y,
                         size_t n) {
  if (mask_step == 0 && n != 0) {
    const T *from = *mask != 0 ? a : b;
    size_t step = (size_t)(*mask != 0 ? a_step : b_step);
    for (size_t i = 0; i < n; i++) y[i] = from[i * step];
    return;
  }
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) {
    V av = a_step ? NAME(load)(a + i) : NAME(splat)(*a);
    V bv = b_step ? NAME(load)(b + i) : NAME(splat)(*b);
    NAME(store)(y + i, NAME(choose)(NAME(load)(mask + i) != 0, av, bv));
  }
  for (; i < n; i++) y[i] = mask[i] != 0 ? a[i * (size_t)a_step] : b[i * (size_t)b_step];
}

static void NAME(fill)(T value, T *y, size_t n) {
  for (size_t i = 0; i < n; i++) y[i] = value;
}
