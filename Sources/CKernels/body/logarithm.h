// The functions log, log1p and softplus.

// Splits a positive normal x into 2^k m with sqrt(1/2) <= m < sqrt(2).
INLINE V NAME(cut)(V x, I *k) {
  U bits = (U)x - SQRT_HALF_BITS;
  *k = (I)bits >> MANTISSA_BITS;
  return (V)((bits & (((UNSIGNED)1 << MANTISSA_BITS) - 1)) + SQRT_HALF_BITS);
}

// Converts a small whole number to a real one through the low bits of 1.5 * 2^MANTISSA_BITS.
INLINE V NAME(from_whole)(I k) {
  const V shift = NAME(splat)((T)1.5 * (T)(1ull << MANTISSA_BITS));
  return (V)((U)shift + (U)k) - shift;
}

// Computes k ln 2 + log(1 + f).
INLINE V NAME(log_sum)(I k, V f) {
  V whole = NAME(from_whole)(k);
  V low = fma(whole, NAME(splat)(LN2_LOW), NAME(log_tail)(f));
  return fma(whole, NAME(splat)(LN2_HIGH), f + low);
}

INLINE V NAME(log)(V x) {
  I subnormal = x < SMALLEST_NORMAL;
  V scaled = NAME(choose)(subnormal, x * (T)(1ull << MANTISSA_BITS), x);
  I k;
  V m = NAME(cut)(scaled, &k);
  V y = NAME(log_sum)(k - (subnormal & MANTISSA_BITS), m - 1);
  y = NAME(choose)(x < (T)INFINITY, y, x);  // infinity and NaN
  y = NAME(choose)(x <= 0, NAME(choose)(x < 0, NAME(splat)((T)NAN), NAME(splat)(-(T)INFINITY)), y);
  return y;
}

// The sum u = 1 + x has the error c = (1 + x) - u, which is known exactly and added to f. x > -1 is finite.
INLINE V NAME(log1p_unguarded)(V x) {
  V u = 1 + x;
  V c = NAME(choose)(x > 1, 1 - (u - x), x - (u - 1));
  I k;
  V m = NAME(cut)(u, &k);
  I limited = __builtin_elementwise_min(k, (I){0} + 64);  // c is negligible beyond, and 2^-k stays normal
  V f = fma(c, NAME(power_of_two)(-limited), m - 1);
  return NAME(log_sum)(k, f);
}

INLINE V NAME(log1p)(V x) {
  V y = NAME(log1p_unguarded)(x);
  y = NAME(choose)(x < (T)INFINITY, y, x);  // infinity and NaN
  y = NAME(choose)(x <= -1, NAME(choose)(x < -1, NAME(splat)((T)NAN), NAME(splat)(-(T)INFINITY)), y);
  return NAME(choose)(x == 0, x, y);  // the sign of zero
}

// Computes max(x, 0) + log(1 + z) with z = e^-|x|. Here 1 + z is 2^k m with k = 0 or 1 without a split, and f
// = m - 1. NaN passes through the exponential.
INLINE V NAME(softplus)(V x) {
  V z = NAME(exp)(-NAME(magnitude)(x));
  I twice = z > (T)0.41421356;
  V f = NAME(choose)(twice, (T)0.5 * z - (T)0.5, z);
  V tail = NAME(log_tail)(f) + NAME(choose)(twice, NAME(splat)(LN2_LOW), (V){0});
  V log = NAME(choose)(twice, NAME(splat)(LN2_HIGH), (V){0}) + (f + tail);
  return NAME(choose)(x > 0, x, (V){0}) + log;
}
