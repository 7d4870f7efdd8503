// The error function erf, its inverse, and gelu.

// For |x| < 0.95 erf(x) is x + x P(x^2). Beyond, it is 1 - e^-L(|x|) with a polynomial L for -log(erfc),
// whose error is multiplied by erfc.
INLINE V NAME(erf)(V x) {
  V a = NAME(magnitude)(x);
  V near = fma(x, POLYNOMIAL(x * x, NAME(ERF_POLYNOMIAL)), x);
  a = NAME(choose)(a > ERF_HIGH, NAME(splat)(ERF_HIGH), a);
  V minus_log = POLYNOMIAL(a - ERFC_CENTRE, NAME(ERFC_POLYNOMIAL));
  I n;
  V p = NAME(exp_parts)(-minus_log, &n);
  V power = NAME(power_of_two)(n);
  V far = fma(-power, p, 1 - power);
  return NAME(with_sign_of)(NAME(choose)(a < (T)0.95, near, far), x);
}

INLINE V NAME(erfinv)(V x) {
  V a = NAME(magnitude)(x);
  V w = -NAME(log1p)(-x * x);
  V y = NAME(giles)(w) * x;
  y = NAME(choose)(a == 1, x * (T)INFINITY, y);
  return NAME(choose)(a <= 1, y, NAME(splat)((T)NAN));
}

INLINE V NAME(gelu)(V x) {
  return x * ((T)0.5 * (1 + NAME(erf)(x * (T)0.70710678118654752440)));
}

// F(x) + x F'(x) with the normal distribution function F, which is y / x, or 1/2 + x F'(0) near 0.
INLINE V NAME(gelu_slope)(V x, V y) {
  const T density = (T)0.39894228040143267794;
  const I tiny = NAME(magnitude)(x) < (T)1 / (T)(1ull << (MANTISSA_BITS / 2));
  return NAME(choose)(tiny, (T)0.5 + density * x, y / x) + density * x * NAME(exp)((T)-0.5 * x * x);
}
