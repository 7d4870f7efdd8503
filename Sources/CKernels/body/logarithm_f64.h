// Computes log(1 + f) - f for sqrt(1/2) <= 1 + f <= sqrt(2). With s = f / (2 + f), log(1 + f) = 2s + s
// R(s^2). Since 2s = f - s f, this is f - (f^2/2 - s (f^2/2 + R)), in which all terms but f are small.
INLINE V log_tail_f64(V f) {
  V s = f / (2 + f);
  V z = s * s;
  V half_square = 0.5 * f * f;
  V rest = z * POLYNOMIAL(z, LOG_POLYNOMIAL_f64);
  return s * (half_square + rest) - half_square;
}
