// Functions of one or two selections.
INLINE V NAME(relu)(V x) {
  return NAME(choose)(x < 0, (V){0}, x);
}

INLINE V NAME(sign)(V x) {  // zero and NaN are kept
  V one = NAME(with_sign_of)(NAME(splat)(1), x);
  return NAME(choose)((x < 0) | (x > 0), one, x);
}

INLINE V NAME(maximum)(V a, V b) {  // NaN if either is
  return NAME(choose)((a > b) | (a != a), a, b);
}
