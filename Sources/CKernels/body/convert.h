// Conversions between float and double; those to float round to nearest.
static void convert_f32_f64(const float *x, double *y, size_t n) {
  for (size_t i = 0; i < n; i++) y[i] = (double)x[i];
}

static void convert_f64_f32(const double *x, float *y, size_t n) {
  for (size_t i = 0; i < n; i++) y[i] = (float)x[i];
}
