// Applies C99's special cases of pow to y = |x|^exponent.
INLINE V NAME(pow_cases)(V x, V exponent, V y) {
  V a = NAME(magnitude)(x), e = NAME(magnitude)(exponent);
  I whole = __builtin_elementwise_floor(exponent) == exponent;  // infinity counts as even
  I odd = whole & (__builtin_elementwise_floor(exponent * (T)0.5) != exponent * (T)0.5);
  y = (V)((U)y | ((U)x & (U)odd & SIGN_BIT));
  y = NAME(choose)((x < 0) & (a < (T)INFINITY) & ~whole, NAME(splat)((T)NAN), y);
  I one = (x == 1) | (exponent == 0) | ((a == 1) & (e == (T)INFINITY));
  return NAME(choose)(one, NAME(splat)(1), y);
}
