// The kernels for AVX-512, with thirty-two registers of 64 bytes.
#pragma STDC FP_CONTRACT OFF
#include "polynomials.h"
#include "table.h"

#if defined(__x86_64__)
// Functions with vector arguments are all inlined, so no vector crosses a call.
#pragma clang diagnostic ignored "-Wpsabi"
#pragma clang attribute push(__attribute__((target("arch=x86-64-v4"))), apply_to = function)

#define TABLE ck_table_v4
#define TABLE_NAME "v4"
#define MAIN_WIDTH 2
#define TILE_ROWS_1 14
#define TILE_ROWS_2 14
#define TILE_ROWS_4 6
#define NARROW 8
#include "body/body.h"

#pragma clang attribute pop
#endif
