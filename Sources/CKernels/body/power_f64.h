// pow needs exponent * log |x|, which reaches 745, with an absolute error of 2^-54. So the logarithm is
// computed to about 65 bits, as an unevaluated sum of two doubles.
typedef struct pair {
  V high, low;
} NAME(pair);

INLINE NAME(pair) NAME(pair_sum)(V a, V b) {  // |a| >= |b|, or a == 0
  V sum = a + b;
  return (NAME(pair)){sum, b - (sum - a)};
}

INLINE NAME(pair) NAME(pair_product)(NAME(pair) a, NAME(pair) b) {
  V high = a.high * b.high;
  return NAME(pair_sum)(high, fma(a.high, b.low, fma(a.low, b.high, fma(a.high, b.high, -high))));
}

// log(2^k m) = k ln 2 + 2s + s^3 (2/3 + z P(z)) with s = (m - 1) / (m + 1) and z = s^2 <= 0.0295. Relative to
// the result, z P is below 2^-12, so its rounding in double costs 2^-65.
INLINE NAME(pair) NAME(log_pair)(I k, V m) {
  V over = m - 1, under = m + 1;
  V under_low = over - (under - 2);  // m + 1 = under + under_low is exact
  V quotient = over / under;
  V remainder = fma(-quotient, under_low, fma(-quotient, under, over));
  NAME(pair) s = {quotient, remainder / under};
  NAME(pair) z = NAME(pair_product)(s, s);
  V rest = z.high * POLYNOMIAL(z.high, LOG_LONG_POLYNOMIAL_f64);
  NAME(pair) factor = NAME(pair_sum)(NAME(splat)(0x1.5555555555555p-1), rest);
  factor.low = factor.low + 0x1.5555555555555p-55;
  NAME(pair) cubic = NAME(pair_product)(NAME(pair_product)(s, z), factor);
  NAME(pair) y = NAME(pair_sum)(2 * s.high, cubic.high);
  y.low = y.low + fma(NAME(splat)(2), s.low, cubic.low);
  V whole = NAME(from_whole)(k);
  V high = whole * LN2_HIGH;
  V high_low = fma(whole, NAME(splat)(LN2_HIGH), -high);
  NAME(pair) sum = NAME(pair_sum)(high, y.high);
  return NAME(pair_sum)(sum.high, sum.low + (high_low + fma(whole, NAME(splat)(LN2_LOW), y.low)));
}

INLINE V NAME(pow)(V x, V exponent) {
  V a = NAME(magnitude)(x);
  I subnormal = a < SMALLEST_NORMAL;
  I k;
  V m = NAME(cut)(NAME(choose)(subnormal, a * 0x1p52, a), &k);
  NAME(pair) log = NAME(log_pair)(k - (subnormal & MANTISSA_BITS), m);
  I ordinary = (a > 0) & (a < INFINITY) & (NAME(magnitude)(exponent) < INFINITY);
  // An estimate of log |x|.
  V edge = NAME(choose)(a == 0, NAME(splat)(-INFINITY), NAME(choose)(a == INFINITY, a, log.high));
  V product = exponent * NAME(choose)(ordinary, log.high, edge);
  V low = fma(exponent, log.low, fma(exponent, log.high, -product));
  // If the product is clamped or not finite, its low part is set to 0.
  I plain = ordinary & (product > EXP_LOW) & (product < EXP_HIGH);
  low = NAME(choose)(plain, low, (V){0});
  I n;
  V p = NAME(exp_parts)(NAME(clamp)(product, EXP_LOW, EXP_HIGH), &n);
  V y = 1 + fma(low, 1 + p, p);
  y = NAME(choose)(x == x, NAME(scale)(y, n), x);
  return NAME(pow_cases)(x, exponent, y);
}
