// Payne and Hanek's argument reduction, for arguments too large for Cody and Waite's.
#pragma STDC FP_CONTRACT OFF
#include "table.h"

// 2 / pi in binary: a zero word above the point, the words that a double's exponent can reach, and 192 bits
// more.
static const uint64_t two_over_pi[21] = {
  0,
  0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041, 0xfe5163abdebbc561, 0xb7246e3a424dd2e0,
  0x06492eea09d1921c, 0xfe1deb1cb129a73e, 0xe88235f52ebb4484, 0xe99c7026b45f7e41, 0x3991d639835339f4,
  0x9c845f8bbdf9283b, 0x1ff897ffde05980f, 0xef2f118b5a0a6d1f, 0x6d367ecf27cb09b7, 0x4f463f669e5fea2d,
  0x7527bac7ebe5f17b, 0x3d0739f78a5292ea, 0x6bfb5fb11f8d5d08, 0x56033046fc7b6bab, 0xf0cfbc209af4361d,
};

static uint64_t word_at(int bit) {
  int word = bit / 64, shift = bit % 64;
  uint64_t high = two_over_pi[word] << shift;
  return shift == 0 ? high : high | two_over_pi[word + 1] >> (64 - shift);
}

static double power_of_two(int n) {
  uint64_t bits = (uint64_t)(n + 1023) << 52;
  double x;
  __builtin_memcpy(&x, &bits, sizeof x);
  return x;
}

double ck_reduce_large(double x, unsigned *quadrant) {
  *quadrant = 0;
  if (!(x < (double)INFINITY)) return (double)NAN;
  uint64_t bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  // x = mantissa * 2^exponent. The bits of 2/pi above 2^(2 - exponent) give whole turns and are skipped.
  const uint64_t mantissa = (bits & 0xfffffffffffff) | 0x10000000000000;
  const int start = (int)(bits >> 52) - 1075 - 2 + 64;
  // (mantissa * the next 192 bits) mod 2^192 is the fraction of a turn; its upper 128 bits are kept.
  unsigned __int128 low = (unsigned __int128)mantissa * word_at(start + 128);
  unsigned __int128 middle = (unsigned __int128)mantissa * word_at(start + 64) + (uint64_t)(low >> 64);
  uint64_t top = mantissa * word_at(start) + (uint64_t)(middle >> 64);
  unsigned __int128 turn = (unsigned __int128)top << 64 | (uint64_t)middle;
  *quadrant = (unsigned)(turn >> 126);
  unsigned __int128 part = turn << 2;  // the fraction of a quarter turn
  const bool past_half = part >> 127;
  if (past_half) part = -part, *quadrant += 1;
  if (part == 0) return 0;
  const int zeros =
    part >> 64 ? __builtin_clzll((uint64_t)(part >> 64)) : 64 + __builtin_clzll((uint64_t)part);
  part <<= zeros;
  const double high = (double)(uint64_t)(part >> 75) * power_of_two(-53 - zeros);
  const double rest = (double)(uint64_t)(part << 53 >> 64) * power_of_two(-117 - zeros);
  const double half_pi = 0x1.921fb54442d18p+0, half_pi_low = 0x1.1a62633145c07p-54;
  const double r = __builtin_fma(high, half_pi, __builtin_fma(high, half_pi_low, rest * half_pi));
  return past_half ? -r : r;
}
