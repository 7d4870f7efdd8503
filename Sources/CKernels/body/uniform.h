// Converts bits to numbers in [low, high). The upper bits become the mantissa of a number in [1, 2).
static void NAME(uniform)(const UNSIGNED *bits, size_t n, T low, T high, T *y) {
  const V lows = NAME(splat)(low), widths = NAME(splat)(high - low);
  for (size_t i = 0; i < n; i += LANES) {
    size_t count = n - i < LANES ? n - i : LANES;
    U b = {0};
    if (count == LANES) __builtin_memcpy(&b, bits + i, sizeof b);
    else __builtin_memcpy(&b, bits + i, count * sizeof *bits);
    V unit = (V)((b >> (sizeof(T) * 8 - MANTISSA_BITS)) | ((UNSIGNED)EXPONENT_BIAS << MANTISSA_BITS)) - 1;
    V value = NAME(maximum)(lows, fma(unit, widths, lows));
    if (count == LANES) NAME(store)(y + i, value);
    else NAME(store_some)(y + i, value, count);
  }
}
