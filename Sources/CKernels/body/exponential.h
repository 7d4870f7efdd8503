// The functions exp, expm1, tanh and sigmoid, and the derivatives of the last three.

// Writes x as n ln 2 + r with |r| <= ln 2 / 2 and returns e^r - 1. Adding 1.5 * 2^MANTISSA_BITS puts the
// whole number n into the low bits, without a cast. x - n * LN2_HIGH is exact, since both are multiples of
// 2^-(MANTISSA_BITS+1).
INLINE V NAME(exp_parts)(V x, I *n) {
  const V shift = NAME(splat)((T)1.5 * (T)(1ull << MANTISSA_BITS));
  V shifted = fma(x, NAME(splat)(LOG2_E), shift);
  V whole = shifted - shift;
  *n = (I)((U)shifted - (U)shift);
  V r = fma(-whole, NAME(splat)(LN2_HIGH), x);
  r = fma(-whole, NAME(splat)(LN2_LOW), r);
  return fma(r * r, POLYNOMIAL(r, NAME(EXP_POLYNOMIAL)), r);
}

// Computes 2^n for exponents n of normal numbers.
INLINE V NAME(power_of_two)(I n) {
  return (V)(((U)n + EXPONENT_BIAS) << MANTISSA_BITS);
}

// Computes x * 2^n in two steps, of which only the second rounds. Subnormal results and infinity are correct.
INLINE V NAME(scale)(V x, I n) {
  I half = n >> 1;
  return x * NAME(power_of_two)(half) * NAME(power_of_two)(n - half);
}

// The clamps keep NaN.
INLINE V NAME(clamp)(V x, T low, T high) {
  x = NAME(choose)(x > high, NAME(splat)(high), x);
  return NAME(choose)(x < low, NAME(splat)(low), x);
}

INLINE V NAME(exp)(V x) {
  I n;
  V p = NAME(exp_parts)(NAME(clamp)(x, EXP_LOW, EXP_HIGH), &n);
  return NAME(scale)(1 + p, n);
}

// The result is 2 (2^(n-1) p + (2^(n-1) - 1/2)), halved inside so that 2^128 never occurs. Only subnormal x
// needs more care.
INLINE V NAME(expm1_unguarded)(V x) {
  I n;
  V p = NAME(exp_parts)(x, &n);
  V half = NAME(power_of_two)(n - 1);
  return 2 * fma(half, p, half - (T)0.5);
}

INLINE V NAME(expm1)(V x) {
  V y = NAME(expm1_unguarded)(NAME(clamp)(x, EXPM1_LOW, EXP_HIGH));
  I tiny = NAME(magnitude)(x) < (T)1 / (T)(1ull << (MANTISSA_BITS + 2));
  return NAME(choose)(tiny, x, y);  // subnormal numbers and the sign of zero
}

// For |x| < 0.55 tanh(x) is x + x^3 P(x^2). Beyond, it is 1 - 2z / (1 + z) with z = e^(-2|x|), which at most
// halves the quotient's errors.
INLINE V NAME(tanh)(V x) {
  V a = NAME(magnitude)(x), square = x * x;
  V near = fma(a * square, POLYNOMIAL(square, NAME(TANH_POLYNOMIAL)), a);
  I n;
  V p = NAME(exp_parts)(NAME(clamp)(-2 * a, EXPM1_LOW - 4, 0), &n);
  V power = NAME(power_of_two)(n);
  V z = fma(power, p, power);
  V far = 1 - 2 * z / (1 + z);
  return NAME(with_sign_of)(NAME(choose)(a < (T)0.55, near, far), x);
}

// With z = e^-|x| the result is q = z / (1 + z) for x < 0, so that the tail keeps its relative accuracy, and
// 1 - q for x > 0. The rounding error of 1 + z, `lost`, is corrected to first order by the derivative -q (1 -
// q).
INLINE V NAME(sigmoid)(V x) {
  V z = NAME(exp)(-NAME(magnitude)(x));
  V under = 1 + z;
  V lost = z - (under - 1);
  V q = z / under;
  q = fma(-q * (1 - q), lost, q);
  return NAME(choose)(x < 0, q, 1 - q);
}

// The derivatives below take y = f(x) where that loses no digits. In the tails they would cancel, and there
// they take an exponential of x. A vector without a tail computes none; a lane's bits depend on x alone.

// 1 - y^2, or z (1 + |y|)^2 with z = e^(-2|x|), since |y| = (1 - z) / (1 + z).
INLINE V NAME(tanh_slope)(V x, V y) {
  V slope = 1 - y * y;
  I tail = slope < SLOPE_TAIL;
  if (!__builtin_reduce_or(tail)) return slope;
  V sum = 1 + NAME(magnitude)(y);
  return NAME(choose)(tail, NAME(exp)(-2 * NAME(magnitude)(x)) * (sum * sum), slope);
}

// y (1 - y), or z y^2 with z = e^-x, since y = 1 / (1 + z).
INLINE V NAME(sigmoid_slope)(V x, V y) {
  V slope = y * (1 - y);
  I tail = y > 1 - SLOPE_TAIL;
  if (!__builtin_reduce_or(tail)) return slope;
  return NAME(choose)(tail, NAME(exp)(-x) * (y * y), slope);
}

// y + 1, or e^x.
INLINE V NAME(expm1_slope)(V x, V y) {
  I tail = y < SLOPE_TAIL - 1;
  if (!__builtin_reduce_or(tail)) return y + 1;
  return NAME(choose)(tail, NAME(exp)(x), y + 1);
}
