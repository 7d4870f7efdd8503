// Computes e^(exponent * log |x|) in double. Its error of 2^-53 times the largest logarithm, 104, is 2^-22
// ulp of the result.
INLINE V pow_f32(V x, V exponent) {
  typedef float half __attribute__((vector_size(32)));
  V a = magnitude_f32(x);
  half a0 = __builtin_shufflevector(a, a, 0, 1, 2, 3, 4, 5, 6, 7);
  half a1 = __builtin_shufflevector(a, a, 8, 9, 10, 11, 12, 13, 14, 15);
  half e0 = __builtin_shufflevector(exponent, exponent, 0, 1, 2, 3, 4, 5, 6, 7);
  half e1 = __builtin_shufflevector(exponent, exponent, 8, 9, 10, 11, 12, 13, 14, 15);
  floats_f64 y0 = exp_f64(__builtin_convertvector(e0, floats_f64)
                          * log_f64(__builtin_convertvector(a0, floats_f64)));
  floats_f64 y1 = exp_f64(__builtin_convertvector(e1, floats_f64)
                          * log_f64(__builtin_convertvector(a1, floats_f64)));
  half h0 = __builtin_convertvector(y0, half), h1 = __builtin_convertvector(y1, half);
  return pow_cases_f32(x, exponent,
                       __builtin_shufflevector(h0, h1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
}
