// The instruction set every machine of the architecture has: NEON on arm64; on x86-64 SSE2, for correctness only, as fma
// is a call there.
#pragma STDC FP_CONTRACT OFF
#include "polynomials.h"
#include "table.h"

// Helpers that take vectors are inlined everywhere: no vector crosses a call.
#pragma clang diagnostic ignored "-Wpsabi"

#define TABLE ck_table_baseline
#define TABLE_NAME "baseline"
#define MAIN_WIDTH 1
#define TILE_ROWS_1 6
#define TILE_ROWS_2 3
#define TILE_ROWS_4 1
#define NARROW 6
#include "body/body.h"
