// Normal numbers from the words of ChaCha20, by the method of Box and Muller.

// Eight words of 64 bits, the first or the second half of sixteen that stand in two vectors.
INLINE bits_f64 joined_words(bits_f32 low, bits_f32 high, bool second) {
  typedef uint32_t half __attribute__((vector_size(32)));
#define HALF(v) \
  second ? (half)__builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15) \
         : (half)__builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7)
  const half l = HALF(low), h = HALF(high);
#undef HALF
  return __builtin_convertvector(h, bits_f64) << 32 | __builtin_convertvector(l, bits_f64);
}

// Turns uniform words into sqrt(-2 log u) cos(2 pi v) and sqrt(-2 log u) sin(2 pi v). The angle is split into
// quarter turns and a rest between -1/2 and 1/2 of one, exactly.
INLINE void box_muller(bits_f64 u, bits_f64 v, floats_f64 *cosine, floats_f64 *sine) {
  const floats_f64 uniform = (__builtin_convertvector(u, floats_f64) + 0.5) * 0x1p-64;
  ints_f64 exponent;
  const floats_f64 mantissa = cut_f64(uniform, &exponent);
  const floats_f64 length = __builtin_elementwise_sqrt(-2 * log_sum_f64(exponent, mantissa - 1));
  const bits_f64 quadrant = (v + (1ull << 61)) >> 62;
  const ints_f64 rest = (ints_f64)(v - (quadrant << 62));
  const floats_f64 angle = __builtin_convertvector(rest, floats_f64) * (0x1p-62 * 0x1.921fb54442d18p+0);
  *cosine = length * wave_f64(angle, quadrant + 1);
  *sine = length * wave_f64(angle, quadrant);
}

// Sixteen blocks of the cipher give 64 pairs of normal numbers. A secure number adds halves of four pairs.
static void gaussians(
  const uint32_t key[8], uint64_t first, uint64_t nonce, bool secure, size_t n, double *y
) {
  const size_t batch = secure ? 32 : 128;
  for (size_t i = 0; i < n; i += batch, first += 16) {
    bits_f32 words[16];
    chacha_words(key, first, nonce, words);
    floats_f64 out[16], *const c = out, *const s = out + 8;
#pragma clang loop unroll(full)
    for (int p = 0; p < 8; p++)
      box_muller(
        joined_words(words[p & 6], words[(p & 6) + 1], p & 1),
        joined_words(words[8 + (p & 6)], words[9 + (p & 6)], p & 1), c + p, s + p);
    if (secure)
#pragma clang loop unroll(full)
      for (int p = 0; p < 4; p++) {
        const int next = (p + 1) % 4;
        // Sines of pairs are still needed, so results replace cosines, which are not.
        c[p] = 0.5 * ((c[p] + s[next]) + (c[4 + p] + s[4 + next]));
      }
    const size_t count = n - i < batch ? n - i : batch;
    __builtin_memcpy(y + i, out, count * sizeof *y);
  }
}
