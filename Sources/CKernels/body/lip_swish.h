// LipSwish, h sigmoid(z) / 1.1 with z = beta h, and its slope in h. The operations and their order are those
// of the formula in elementwise kernels, and of its reverse pass.

static void NAME(lip_swish)(T beta, size_t n, const T *h, T *y, T *slope) {
  const V b = NAME(splat)(beta), scale = NAME(splat)((T)1.1);
  for (size_t i = 0; i < n; i += LANES) {
    const size_t count = n - i < LANES ? n - i : LANES;
    const V x = NAME(load_part)(h + i, count), z = b * x, gate = NAME(sigmoid)(z);
    NAME(store_part)(y + i, x * gate / scale, count);
    NAME(store_part)(slope + i, (gate + z * NAME(sigmoid_slope)(z, gate)) / scale, count);
  }
}

// With the derivative d = sigmoid'(z), whose own derivative is -tanh(z/2) d.
static void NAME(lip_swish_pullback)(T beta, size_t n, const T *gy, const T *gslope, const T *h, T *gh,
                                     T *gbeta) {
  const V b = NAME(splat)(beta), scale = NAME(splat)((T)1.1);
  for (size_t i = 0; i < n; i += LANES) {
    const size_t count = n - i < LANES ? n - i : LANES;
    const V x = NAME(load_part)(h + i, count), z = b * x, gate = NAME(sigmoid)(z);
    const V d = NAME(sigmoid_slope)(z, gate);
    const V own = NAME(load_part)(gy + i, count) / scale, inner = NAME(load_part)(gslope + i, count) / scale;
    const V bend = -NAME(tanh)((T)0.5 * z) * d;
    const V gz = inner * d + inner * z * bend + (inner + own * x) * d;
    NAME(store_part)(gh + i, own * gate + gz * b, count);
    NAME(store_part)(gbeta + i, gz * x, count);
  }
}
