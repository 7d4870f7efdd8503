// Computes log(1 + f) - f for sqrt(1/2) <= 1 + f <= sqrt(2).
INLINE V log_tail_f32(V f) {
  return f * f * POLYNOMIAL(f, LOG_POLYNOMIAL_f32);
}
