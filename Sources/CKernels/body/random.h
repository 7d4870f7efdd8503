// Random bits and their conversion to numbers.

INLINE void threefry_blocks(uint32_t k0, uint32_t k1, U *x0, U *x1) {
  const uint32_t keys[3] = {k0, k1, k0 ^ k1 ^ 0x1bd11bda};
  static const int rotations[2][4] = {{13, 15, 26, 6}, {17, 29, 16, 24}};
  U a = *x0 + k0, b = *x1 + k1;
#pragma clang loop unroll(full)
  for (unsigned group = 0; group < 5; group++) {
#pragma clang loop unroll(full)
    for (int i = 0; i < 4; i++) {
      int left = rotations[group & 1][i];
      a += b;
      b = (b << left) | (b >> (32 - left));
      b ^= a;
    }
    a += keys[(group + 1) % 3];
    b += keys[(group + 2) % 3] + group + 1;
  }
  *x0 = a, *x1 = b;
}

// Computes the blocks of the counters first ... first + 15.
INLINE void threefry_counters(uint32_t k0, uint32_t k1, uint64_t first, U *o0, U *o1) {
  const U steps = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  U low = steps + (uint32_t)first;
  U carry = (U)(low < (uint32_t)first);  // a comparison gives all ones, which is -1
  U high = (U){0} + (uint32_t)(first >> 32) - carry;
  threefry_blocks(k0, k1, &high, &low);
  *o0 = high, *o1 = low;
}

static void threefry(uint32_t k0, uint32_t k1, uint32_t x0, uint32_t x1, uint32_t out[2]) {
  U a = (U){0} + x0, b = (U){0} + x1;
  threefry_blocks(k0, k1, &a, &b);
  out[0] = a[0], out[1] = b[0];
}

static void threefry_bits32(uint32_t k0, uint32_t k1, uint64_t first, size_t n, uint32_t *y) {
  for (size_t i = 0; i < n; i += LANES) {
    U high, low;
    threefry_counters(k0, k1, first + i, &high, &low);
    high ^= low;
    size_t count = n - i < LANES ? n - i : LANES;
    if (count == LANES) __builtin_memcpy(y + i, &high, sizeof high);
    else __builtin_memcpy(y + i, &high, count * sizeof *y);
  }
}

static void threefry_bits64(uint32_t k0, uint32_t k1, uint64_t first, size_t n, uint64_t *y) {
  for (size_t i = 0; i < n; i += LANES) {
    U high, low;
    threefry_counters(k0, k1, first + i, &high, &low);
    uint32_t highs[LANES], lows[LANES];
    __builtin_memcpy(highs, &high, sizeof high);
    __builtin_memcpy(lows, &low, sizeof low);
    size_t count = n - i < LANES ? n - i : LANES;
    for (size_t j = 0; j < count; j++) y[i + j] = (uint64_t)highs[j] << 32 | lows[j];
  }
}
