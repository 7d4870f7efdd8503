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

INLINE U chacha_left(U x, int bits) {
  return (x << bits) | (x >> (32 - bits));
}

INLINE void chacha_quarter(U *a, U *b, U *c, U *d) {
  *a += *b, *d = chacha_left(*d ^ *a, 16);
  *c += *d, *b = chacha_left(*b ^ *c, 12);
  *a += *b, *d = chacha_left(*d ^ *a, 8);
  *c += *d, *b = chacha_left(*b ^ *c, 7);
}

// Computes the words of the blocks of the counters first ... first + 15. A lane holds a block.
INLINE void chacha_words(const uint32_t key[8], uint64_t first, uint64_t nonce, U s[16]) {
  static const uint32_t constants[4] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
  const U steps = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  U start[16];
  for (int w = 0; w < 4; w++) start[w] = (U){0} + constants[w];
  for (int w = 0; w < 8; w++) start[4 + w] = (U){0} + key[w];
  start[12] = steps + (uint32_t)first;
  start[13] = (U){0} + (uint32_t)(first >> 32) - (U)(start[12] < (uint32_t)first);
  start[14] = (U){0} + (uint32_t)nonce;
  start[15] = (U){0} + (uint32_t)(nonce >> 32);
  for (int w = 0; w < 16; w++) s[w] = start[w];
  for (int round = 0; round < 10; round++) {
#pragma clang loop unroll(full)
    for (int w = 0; w < 4; w++) chacha_quarter(s + w, s + 4 + w, s + 8 + w, s + 12 + w);
#pragma clang loop unroll(full)
    for (int w = 0; w < 4; w++)
      chacha_quarter(s + w, s + 4 + (w + 1) % 4, s + 8 + (w + 2) % 4, s + 12 + (w + 3) % 4);
  }
  for (int w = 0; w < 16; w++) s[w] += start[w];
}

static void chacha(const uint32_t key[8], uint64_t first, uint64_t nonce, size_t blocks, uint32_t *y) {
  for (size_t i = 0; i < blocks; i += LANES) {
    U s[16];
    chacha_words(key, first + i, nonce, s);
    const size_t count = blocks - i < LANES ? blocks - i : LANES;
    for (int w = 0; w < 16; w++) {
      uint32_t lanes[LANES];
      __builtin_memcpy(lanes, s + w, sizeof lanes);
      for (size_t j = 0; j < count; j++) y[16 * (i + j) + w] = lanes[j];
    }
  }
}
