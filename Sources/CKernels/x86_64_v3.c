// The kernels for AVX2 and FMA, with sixteen registers of 32 bytes.
#pragma STDC FP_CONTRACT OFF
#include "polynomials.h"
#include "table.h"

#if defined(__x86_64__)
// Functions with vector arguments are all inlined, so no vector crosses a call.
#pragma clang diagnostic ignored "-Wpsabi"
#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"))), apply_to = function)

#define TABLE ck_table_v3
#define TABLE_NAME "v3"
#define MAIN_WIDTH 1
#define TILE_ROWS_1 6
#define TILE_ROWS_2 3
#define TILE_ROWS_4 1
#define NARROW 6
#include "body/body.h"

#pragma clang attribute pop
#endif
