// Chooses the instruction set at the first call and forwards every function to it.
#pragma STDC FP_CONTRACT OFF
#include "table.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

// The best set comes first.
static const ck_table *const tables[] = {
#if defined(__x86_64__)
  &ck_table_v4, &ck_table_v3,
#endif
  &ck_table_baseline,
};
enum { table_count = sizeof tables / sizeof *tables };

static bool supported(const ck_table *table) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (table == &ck_table_v4) return __builtin_cpu_supports("x86-64-v4");
  if (table == &ck_table_v3) return __builtin_cpu_supports("x86-64-v3");
#endif
  return table == &ck_table_baseline;
}

static const ck_table *named(const char *name) {
  for (int i = 0; i < table_count; i++)
    if (name != NULL && strcmp(tables[i]->name, name) == 0 && supported(tables[i])) return tables[i];
  return NULL;
}

static const ck_table *best(void) {
  for (int i = 0; i < table_count; i++)
    if (supported(tables[i])) return tables[i];
  return &ck_table_baseline;
}

static _Atomic(const ck_table *) chosen;

// Two threads may both be the first; they find the same answer.
static const ck_table *choose(void) {
  const ck_table *table = named(getenv("SWIFT_FLOWS_ISA"));
  if (table == NULL) table = best();
  atomic_store_explicit(&chosen, table, memory_order_release);
  return table;
}

static inline const ck_table *table(void) {
  const ck_table *known = atomic_load_explicit(&chosen, memory_order_acquire);
  return known != NULL ? known : choose();
}

const char *ck_instruction_set(void) {
  return table()->name;
}

bool ck_has_instruction_set(const char *name) {
  return named(name) != NULL;
}

bool ck_use_instruction_set(const char *name) {
  const ck_table *table = named(name);
  if (table != NULL) atomic_store_explicit(&chosen, table, memory_order_release);
  return table != NULL;
}

#define FORWARD(result, name, parameters, arguments) \
  result ck_##name(ck_type type, CK_BARE parameters) { \
    return type == CK_F32 ? table()->name##_f32 arguments : table()->name##_f64 arguments; \
  }
CK_KERNELS(FORWARD, void, double, void)

void ck_convert_f32_f64(const float *x, double *y, size_t n) {
  table()->convert_f32_f64(x, y, n);
}

void ck_convert_f64_f32(const double *x, float *y, size_t n) {
  table()->convert_f64_f32(x, y, n);
}

void ck_threefry(uint32_t k0, uint32_t k1, uint32_t x0, uint32_t x1, uint32_t out[2]) {
  table()->threefry(k0, k1, x0, x1, out);
}

void ck_threefry_bits32(uint32_t k0, uint32_t k1, uint64_t first, size_t n, uint32_t *y) {
  table()->threefry_bits32(k0, k1, first, n, y);
}

void ck_chacha(const uint32_t key[8], uint64_t first, uint64_t nonce, size_t blocks, uint32_t *y) {
  table()->chacha(key, first, nonce, blocks, y);
}

void ck_gaussians(
  const uint32_t key[8], uint64_t first, uint64_t nonce, bool secure, size_t n, double *y
) {
  table()->gaussians(key, first, nonce, secure, n, y);
}

void ck_threefry_bits64(uint32_t k0, uint32_t k1, uint64_t first, size_t n, uint64_t *y) {
  table()->threefry_bits64(k0, k1, first, n, y);
}
