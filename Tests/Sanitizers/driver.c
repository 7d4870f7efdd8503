// Calls every kernel of CKernels.h with memory of exactly the size that it names, for the sanitizers of
// .ci/sanitize: sizes 0 to 70, both element types, every instruction set of this processor.
#include "CKernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { largest = 70, most_blocks = 16 };
static void *blocks[most_blocks];
static size_t block_count, cases;

// xorshift64*
static uint64_t next(void) {
  static uint64_t state = 0x9e3779b97f4a7c15;
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state * 2685821657736338717;
}

// `count` elements and not a byte more. Every other case starts one element into its block, since kernels may
// count on the alignment of an element alone.
static void *room(size_t count, size_t element) {
  const size_t shift = cases % 2 * element;
  char *const block = malloc(count * element + shift);
  if (block == NULL || block_count == most_blocks) abort();
  blocks[block_count++] = block;
  return block + shift;
}

// Every block is freed after each case, so that no later one reads it.
static void end(const char *kernel) {
  static const char *last = "";
  static size_t first;
  while (block_count > 0) free(blocks[--block_count]);
  if (strcmp(kernel, last) != 0) {
    if (*last) printf("%s %zu\n", last, cases - first);
    last = kernel;
    first = cases;
  }
  cases++;
}

#define QUOTED(text) #text
#define CASE(name, ...) (ck_##name(TYPE, __VA_ARGS__), end(TEXT(name)))

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

static void others(void) {
  for (size_t n = 0; n <= largest; n++) {
    ck_convert_f32_f64(any_f32(n), out_f64(n), n);
    end("convert_f32_f64");
  }
  for (size_t n = 0; n <= largest; n++) {
    ck_convert_f64_f32(any_f64(n), out_f32(n), n);
    end("convert_f64_f32");
  }
  ck_threefry(1, 2, 3, 4, room(2, sizeof(uint32_t)));
  end("threefry");
  for (size_t n = 0; n <= largest; n++) {
    ck_threefry_bits32(5, 6, 0xfffffff0, n, room(n, sizeof(uint32_t)));
    end("threefry_bits32");
  }
  for (size_t n = 0; n <= largest; n++) {
    ck_threefry_bits64(5, 6, 0xfffffffffffffff0, n, room(n, sizeof(uint64_t)));
    end("threefry_bits64");
  }
}

int main(void) {
  static const char *const sets[] = {"v4", "v3", "baseline"};
  for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
    if (!ck_use_instruction_set(sets[i])) {
      fprintf(stderr, "%s: SKIPPED, this processor lacks it\n", sets[i]);
      continue;
    }
    const size_t before = cases;
    all_f32();
    all_f64();
    others();
    fprintf(stderr, "%s: %zu cases\n", sets[i], cases - before);
  }
  end("end");
  fprintf(stderr, "%zu cases\n", cases - 1);
}
