// The functions sin, cos and atan.

// Writes a >= 0 as quadrant * pi/2 + r with |r| at most slightly above pi/4. n * HALF_PI_1 cancels exactly.
// The other parts carry pi/2 to three mantissas and round r once. Rare lanes beyond TRIGONOMETRIC_LIMIT go
// through ck_reduce_large.
INLINE V NAME(quarter_turns)(V a, U *quadrant) {
  const V shift = NAME(splat)((T)1.5 * (T)(1ull << MANTISSA_BITS));
  V shifted = fma(a, NAME(splat)(TWO_OVER_PI), shift);
  V whole = shifted - shift;
  *quadrant = (U)shifted;
  V r = fma(-whole, NAME(splat)(HALF_PI_1), a);
  r = fma(-whole, NAME(splat)(HALF_PI_2), r);
  r = fma(-whole, NAME(splat)(HALF_PI_3), r);
  I large = a > TRIGONOMETRIC_LIMIT;
  if (__builtin_reduce_or(large)) {
    for (int lane = 0; lane < LANES; lane++) {
      if (!large[lane]) continue;
      unsigned turns;
      r[lane] = (T)ck_reduce_large(a[lane], &turns);
      (*quadrant)[lane] = turns;
    }
  }
  return r;
}

// The result is sin(r) in even quadrants and cos(r) in odd ones, negated in the second half of a turn.
INLINE V NAME(wave)(V r, U quadrant) {
  V z = r * r;
  V sine = fma(r * z, POLYNOMIAL(z, NAME(SIN_POLYNOMIAL)), r);
  V cosine = fma(z * z, POLYNOMIAL(z, NAME(COS_POLYNOMIAL)), fma(z, NAME(splat)((T)-0.5), NAME(splat)(1)));
  V y = NAME(choose)((quadrant & 1) != 0, cosine, sine);
  return (V)((U)y ^ ((quadrant & 2) << (sizeof(T) * 8 - 2)));
}

INLINE V NAME(sin)(V x) {
  U quadrant;
  V r = NAME(quarter_turns)(NAME(magnitude)(x), &quadrant);
  return (V)((U)NAME(wave)(r, quadrant) ^ ((U)x & SIGN_BIT));
}

INLINE V NAME(cos)(V x) {
  U quadrant;
  V r = NAME(quarter_turns)(NAME(magnitude)(x), &quadrant);
  return NAME(wave)(r, quadrant + 1);
}

// atan a = turn * pi/2 + atan t with t = a, (a - 1) / (a + 1) or -1 / a, so that |t| <= 1/2.
INLINE V NAME(atan)(V x) {
  V a = NAME(magnitude)(x), one = NAME(splat)(1);
  I middle = a > (T)0.5, far = a > 2;
  V t = NAME(choose)(far, -one, NAME(choose)(middle, a - 1, a))
        / NAME(choose)(far, a, NAME(choose)(middle, a + 1, one));
  V turn = NAME(choose)(far, one, NAME(choose)(middle, NAME(splat)((T)0.5), (V){0}));  // in units of pi/2
  V z = t * t;
  V rest = fma(t * z, POLYNOMIAL(z, NAME(ATAN_POLYNOMIAL)), turn * HALF_PI_2);
  return NAME(with_sign_of)(fma(turn, NAME(splat)(HALF_PI_1), t + rest), x);
}
