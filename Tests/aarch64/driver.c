// Prints, for every function of CKernels.h, a hash of its results on a table of inputs. Machines that promise
// the same bits print the same lines. It uses nothing of the C library but memory and output.
#include "CKernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t start = 0xcbf29ce484222325;
static const size_t lengths[] = {1, 7, 16, 37, 400};
enum { length_count = sizeof lengths / sizeof *lengths };

// FNV-1a.
static void add_bytes(uint64_t *hash, const void *bytes, size_t count) {
  for (size_t i = 0; i < count; i++) *hash = (*hash ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3;
}

// xorshift64*
static uint64_t next(void) {
  static uint64_t state = 0x9e3779b97f4a7c15;
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state * 2685821657736338717;
}

// Zeroed, and kept until the process ends.
static void *room(size_t bytes) {
  void *const memory = calloc(1, bytes + 64);
  if (memory == NULL) exit(1);
  return memory;
}

static void report(const char *function, int variant, uint64_t hash) {
  printf("%s %d %016llx\n", function, variant, (unsigned long long)hash);
}

#define QUOTED(text) #text

#define T float
#define TYPE CK_F32
#define BITS uint32_t
#define NAME(name) name##_f32
#define TEXT(name) QUOTED(name##_f32)
#include "kernels.h"
#undef T
#undef TYPE
#undef BITS
#undef NAME
#undef TEXT

#define T double
#define TYPE CK_F64
#define BITS uint64_t
#define NAME(name) name##_f64
#define TEXT(name) QUOTED(name##_f64)
#include "kernels.h"

static void between_types(void) {
  enum { n = 400 };
  double *const wide = room(n * sizeof *wide);
  float *const narrow = room(n * sizeof *narrow);
  uint64_t to_double = start, to_float = start;
  ck_convert_f32_f64(any_f32(n, 20), wide, n);
  add_f64(&to_double, wide, n);
  ck_convert_f64_f32(any_f64(n, 20), narrow, n);
  add_f32(&to_float, narrow, n);
  report("convert_f32_f64", 0, to_double);
  report("convert_f64_f32", 0, to_float);
}

static void random_bits(void) {
  enum { n = 37 };
  uint32_t block[2], words[n];
  uint64_t doubles[n], hash = start;
  ck_threefry(1, 2, 3, 4, block);
  add_bytes(&hash, block, sizeof block);
  report("threefry", 0, hash);
  hash = start;
  ck_threefry_bits32(5, 6, 0xfffffff0, n, words);
  add_bytes(&hash, words, sizeof words);
  report("threefry_bits32", 0, hash);
  hash = start;
  ck_threefry_bits64(5, 6, 0xfffffff0, n, doubles);
  add_bytes(&hash, doubles, sizeof doubles);
  report("threefry_bits64", 0, hash);
  hash = start;
  const uint32_t key[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  uint32_t blocks[16 * n];
  ck_chacha(key, 0xfffffff0, 9, n, blocks);
  add_bytes(&hash, blocks, sizeof blocks);
  report("chacha", 0, hash);
  double normal[301];
  for (int secure = 0; secure < 2; secure++) {
    hash = start;
    ck_gaussians(key, 0xfffffff0, 9, secure, 301, normal);
    add_bytes(&hash, normal, sizeof normal);
    report("gaussians", secure, hash);
  }
}

int main(void) {
  fprintf(stderr, "%s\n", ck_instruction_set());
  all_f32();
  all_f64();
  between_types();
  random_bits();
}
