// The instruction set of every machine of an architecture: NEON on arm64, SSE2 on x86-64. SSE2 is for
// correctness only, since fma is a function call there.
#pragma STDC FP_CONTRACT OFF
#include "polynomials.h"
#include "table.h"

// Functions with vector arguments are all inlined, so no vector crosses a call.
#pragma clang diagnostic ignored "-Wpsabi"

#define TABLE ck_table_baseline
#define TABLE_NAME "baseline"
#define MAIN_WIDTH 1
#define TILE_ROWS_1 6
#define TILE_ROWS_2 3
#define TILE_ROWS_4 1
#define NARROW 6
#include "body/body.h"
