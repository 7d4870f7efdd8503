// The error function erf and its inverse.

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
