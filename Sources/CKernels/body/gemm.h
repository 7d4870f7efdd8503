// The product c = f(op(a) op(b) + bias). The shape alone decides its path, and all paths give the same bits:
//  - with few columns, the transposed product, whose vectors run along the columns of c;
//  - otherwise panels of b as wide as a tile, packed unless they can be read in place.

// The depth and columns of a block of op(b). A deep one seldom returns to a tile of c, and its 128 KiB fit in
// any second-level cache; with 256 KiB the speed is the same. Few rows read b once, along its rows, and a
// transposed a is read in long columns: both take shallow and wide blocks.
INLINE size_t NAME(block_k)(bool a_t, size_t m) {
  return a_t || m <= 32 ? 256 : 1024;
}

INLINE size_t NAME(block_n)(bool a_t, size_t m) {
  return a_t || m <= 32 ? 16 * LANES : 2 * LANES;
}

// The rows of op(a) for one block after the other.
#define BLOCK_M 252
// The rows of op(a) that are copied for one block after the other of op(b).
#define SLAB_M (4 * BLOCK_M)
// The depth of a panel of the narrow path, which is used once.
#define NARROW_K 256
// The largest b, in bytes, that is read in place, since it stays in the cache.
#define IN_PLACE_BYTES 65536

// Whether parts of rows of so many elements are copied together. The rows of a tile evict each other from a
// cache with 4096 bytes a way. From a transposed a the tile reads a few elements of each row.
INLINE bool NAME(copies_left)(bool a_t, size_t width) {
  const size_t bytes = width * sizeof(T), beyond = bytes % 4096;
  return a_t ? bytes >= 2048 : bytes >= 4096 - 64 && (beyond < 64 || beyond > 4096 - 64);
}

static size_t NAME(gemm_scratch)(size_t m, size_t n, size_t k) {
  // Room for the blocks of a and of its transpose, and for a panel of the narrow path.
  size_t most = 0;
  for (int a_t = 0; a_t < 2; a_t++) {
    const size_t block_k = NAME(block_k)(a_t, m), block_n = NAME(block_n)(a_t, m);
    const size_t depth = k < block_k ? k : block_k, whole = n < block_n ? n + LANES : block_n;
    const size_t breadth = whole < 4 * LANES ? 4 * LANES : whole;
    if (most < depth * breadth) most = depth * breadth;
  }
  const size_t depth = k < NAME(block_k)(false, m) ? k : NAME(block_k)(false, m);
  const size_t slab = m < SLAB_M ? m : SLAB_M;
  const bool copies_left = NAME(copies_left)(true, m) || NAME(copies_left)(false, k);
  return most + (copies_left ? (depth + LANES) * slab : 0);
}

// Packs a panel of op(b) with `columns` columns, padded to `width` vectors: packed[p][j].
static void NAME(pack_panel)(bool b_t, size_t columns, size_t width, size_t depth, const T *b, size_t b_row,
                             T *packed) {
  for (size_t j = 0; j < width * LANES; j += LANES) {
    size_t count = columns - j < LANES ? columns - j : LANES;
    if (b_t) {
      NAME(pack_transposed)(b + j * b_row, b_row, count, depth, packed + j, width * LANES);
    } else if (count == LANES) {
      for (size_t p = 0; p < depth; p++) {
        __builtin_prefetch(b + (p + 16) * b_row + j);  // the next rows for pack_block
        NAME(store)(packed + p * width * LANES + j, NAME(load)(b + p * b_row + j));
      }
    } else {
      for (size_t p = 0; p < depth; p++) {
        T *const row = packed + p * width * LANES + j;
        NAME(store)(row, (V){0});
        for (size_t i = 0; i < count; i++) row[i] = b[p * b_row + j + i];
      }
    }
  }
}

// Packs the panels of a block of op(b), a few rows at a time, so that their pages and cache lines are reused.
static void NAME(pack_block)(bool b_t, size_t rows, size_t columns, size_t depth, const T *b, size_t b_row,
                             T *packed) {
  const size_t step = b_t ? depth : 16;
  for (size_t p = 0; p < depth; p += step) {
    const size_t some = depth - p < step ? depth - p : step;
    for (size_t j = 0; j < columns;) {
      size_t width = NAME(tile_width)(rows, (columns - j + LANES - 1) / LANES);
      size_t count = columns - j < width * LANES ? columns - j : width * LANES;
      NAME(pack_panel)(b_t, count, width, some, b_t ? b + j * b_row + p : b + p * b_row + j, b_row,
                       packed + j * depth + p * width * LANES);
      j += count;
    }
  }
}

// The rows of tile t if `rows` are divided evenly among `tiles`.
INLINE size_t NAME(share)(size_t rows, size_t tiles, size_t t) {
  return rows * t / tiles;
}

// Computes a tile, through a buffer if the panel's last vector is incomplete.
static void NAME(tile_to)(size_t rows, size_t width, size_t columns, size_t k, const T *a, ptrdiff_t a_row,
                          ptrdiff_t a_k, const T *b, ptrdiff_t b_k, T *c, size_t c_row, bool resume,
                          const T *bias, bool relu) {
  if (columns == width * LANES) {
    NAME(tile)(rows, width, k, a, a_row, a_k, b, b_k, c, c_row, resume, bias, relu);
    return;
  }
  T buffer[14 * 4 * LANES], some_bias[4 * LANES] = {0};
  if (bias != NULL) __builtin_memcpy(some_bias, bias, columns * sizeof(T));
  if (resume)
    for (size_t i = 0; i < rows; i++)
      for (size_t j = 0; j < columns; j++) buffer[i * width * LANES + j] = c[i * c_row + j];
  NAME(tile)(rows, width, k, a, a_row, a_k, b, b_k, buffer, width * LANES, resume,
             bias == NULL ? NULL : some_bias, relu);
  for (size_t i = 0; i < rows; i++)
    for (size_t j = 0; j < columns; j++) c[i * c_row + j] = buffer[i * width * LANES + j];
}

// The rows, of `depth` from p on, that are not zero in a panel of columns of op(b). It has zeros below the
// stairs, or above them if `lower`.
INLINE void NAME(stairs_depth)(const ck_staircase *stairs, bool lower, size_t p, size_t depth, size_t column,
                               size_t columns, size_t *from, size_t *to) {
  // `limit` has as many elements as op(b) has columns, or `first` if `lower`.
  const size_t edge = lower ? stairs->first[column] : stairs->limit[column + columns - 1];
  const size_t within = edge > p ? (edge - p < depth ? edge - p : depth) : 0;
  *from = lower ? within : 0;
  *to = lower ? depth : within;
}

// Packs this part of a panel, with zeros beyond the stairs.
static void NAME(pack_stairs)(const ck_staircase *stairs, bool lower, bool b_t, size_t p, size_t column,
                              size_t columns, size_t width, size_t from, size_t to, const T *b, size_t b_row,
                              T *packed) {
  const size_t whole = width * LANES;
  if (from == to) return;
  NAME(pack_panel)(b_t, columns, width, to - from, b_t ? b + from : b + from * b_row, b_row,
                   packed + from * whole);
  for (size_t j = 0; j < columns; j++) {
    const size_t edge = lower ? stairs->first[column + j] : stairs->limit[column + j];
    const size_t within = edge > p ? edge - p : 0, start = lower ? from : within, end = lower ? within : to;
    for (size_t q = start; q < end && q < to; q++) packed[q * whole + j] = 0;
  }
}

// Copies `rows` rows of op(a) and `depth` of its columns: rows of the copy are `depth` + LANES apart, or
// columns `rows` if a is transposed.
static void NAME(copy_left)(bool a_t, size_t rows, size_t depth, const T *a, size_t a_width, T *copy) {
  if (a_t)
    for (size_t q = 0; q < depth; q++) __builtin_memcpy(copy + q * rows, a + q * a_width, rows * sizeof(T));
  else
    for (size_t i = 0; i < rows; i++)
      __builtin_memcpy(copy + i * (depth + LANES), a + i * a_width, depth * sizeof(T));
}

// A block of op(b) in memory: `count` rows of `bytes` bytes, `stride` elements apart.
typedef struct NAME(block) {
  const T *rows;
  size_t count, bytes, stride;
} NAME(block);

// The block that follows that at row p and column `start`. It has no rows after the last one, and where it
// has zeros alone.
INLINE NAME(block) NAME(next_block)(bool b_t, size_t n, size_t k, const T *b, size_t p, size_t start,
                                    size_t block_k, size_t block_n, const ck_staircase *stairs, bool lower) {
  start += block_n;
  if (start >= n) start = 0, p += block_k;
  if (p >= k) return (NAME(block)){b, 0, 0, 0};
  const size_t depth = k - p < block_k ? k - p : block_k, breadth = n - start < block_n ? n - start : block_n;
  if (stairs != NULL) {
    size_t from, to;
    NAME(stairs_depth)(stairs, lower, p, depth, start, breadth, &from, &to);
    if (from == to) return (NAME(block)){b, 0, 0, 0};
  }
  if (b_t) return (NAME(block)){b + start * k + p, breadth, depth * sizeof(T), k};
  return (NAME(block)){b + p * n + start, depth, breadth * sizeof(T), n};
}

// Asks for rows of a block, so that its packing need not wait for memory.
INLINE void NAME(fetch)(const NAME(block) *block, size_t from, size_t to) {
  for (size_t i = from; i < to; i++)
    for (size_t q = 0; q < block->bytes; q += 64)
      __builtin_prefetch((const char *)(block->rows + i * block->stride) + q, 0, 2);
}

// Computes the rows from `begin` to `end` of c. The tile reads op(a) in place by its strides, unless the rows
// of a are copied. A staircase is b, or c if a_t. Panels and tiles in which it is zero are skipped.
static void NAME(gemm_panels)(bool a_t, bool b_t, size_t m, size_t begin, size_t end, size_t n, size_t k,
                              const T *a, const T *b, const ck_staircase *stairs, const T *bias, bool relu,
                              T *c, T *scratch) {
  const ck_staircase *const in_b = a_t ? NULL : stairs, *const in_c = a_t ? stairs : NULL;
  const bool lower = stairs != NULL && stairs->is_lower != b_t;
  const bool pack_b = b_t || in_b != NULL || (m > TILE_ROWS_1 && k * n * sizeof(T) > IN_PLACE_BYTES);
  const size_t a_width = a_t ? m : k;
  const bool copy_a = NAME(copies_left)(a_t, a_width) && n >= 4 * LANES;
  const size_t most_rows = copy_a ? SLAB_M : end - begin;
  const size_t block_k = NAME(block_k)(a_t, m), block_n = NAME(block_n)(a_t, m);
  for (size_t top = begin; top < end; top += most_rows) {
    const size_t slab = end - top < most_rows ? end - top : most_rows;
    for (size_t p = 0; p < k; p += block_k) {
      const size_t depth = k - p < block_k ? k - p : block_k;
      const size_t copy_width = a_t ? depth : depth + LANES;
      T *const right_block = copy_a ? scratch + copy_width * slab : scratch;
      for (size_t start = 0; start < n; start += block_n) {
        const size_t breadth = n - start < block_n ? n - start : block_n;
        const T *right = b_t ? b + start * k + p : b + p * n + start;
        if (pack_b && in_b == NULL) NAME(pack_block)(b_t, m, breadth, depth, right, b_t ? k : n, right_block);
        // The next block is fetched while this one is multiplied, a few rows before each tile.
        const NAME(block) next = NAME(next_block)(b_t, n, k, b, p, start, block_k, block_n, in_b, lower);
        size_t done = 0, fetched = 0;
        for (size_t i = 0; i < slab; i += BLOCK_M) {
          const size_t height = slab - i < BLOCK_M ? slab - i : BLOCK_M;
          const T *left = a_t ? a + p * m + top + i : a + (top + i) * k + p;
          size_t a_row = a_t ? 1 : k, a_k = a_t ? m : 1;
          if (copy_a) {
            T *const copy = scratch + i * copy_width;
            if (start == 0) NAME(copy_left)(a_t, height, depth, left, a_width, copy);
            left = copy, a_row = a_t ? 1 : copy_width, a_k = a_t ? height : 1;
          }
          for (size_t j = 0; j < breadth;) {
            const size_t width = NAME(tile_width)(m, (breadth - j + LANES - 1) / LANES);
            const size_t whole = width * LANES;
            const size_t columns = breadth - j < whole ? breadth - j : whole;
            const bool in_place = !pack_b && columns == whole;
            T *const packed = right_block + j * depth;
            if (!pack_b && !in_place && i == 0)
              NAME(pack_panel)(b_t, columns, width, depth, right + j, n, packed);
            size_t from = 0, to = depth;
            if (in_b != NULL) {
              NAME(stairs_depth)(stairs, lower, p, depth, start + j, columns, &from, &to);
              if (i == 0)
                NAME(pack_stairs)(stairs, lower, b_t, p, start + j, columns, width, from, to,
                                  b_t ? right + j * k : right + j, b_t ? k : n, packed);
            }
            const T *const panel = in_place ? right + j : packed;
            const size_t panel_row = in_place ? n : whole;
            const size_t most = NAME(tile_rows)(width), tiles = (height + most - 1) / most;
            for (size_t t = 0; t < tiles; t++) {
              const size_t first = NAME(share)(height, tiles, t);
              const size_t rows = NAME(share)(height, tiles, t + 1) - first, row = top + i + first;
              if (pack_b) {
                done += rows * columns;
                const size_t until = NAME(share)(next.count, slab * breadth, done);
                NAME(fetch)(&next, fetched, until);
                fetched = until;
              }
              const bool is_zero = in_c != NULL && (lower ? row + rows <= stairs->first[start + j]
                                                          : row >= stairs->limit[start + j + columns - 1]);
              NAME(tile_to)(rows, width, columns, is_zero ? 0 : to - from, left + first * a_row + from * a_k,
                            (ptrdiff_t)a_row, (ptrdiff_t)a_k, panel + from * panel_row, (ptrdiff_t)panel_row,
                            c + row * n + start + j, n, p > 0,
                            bias == NULL || p + depth < k ? NULL : bias + start + j, relu);
            }
            j += columns;
          }
        }
      }
    }
  }
}

// For n <= NARROW, computes the transpose of c as the transpose of op(b) times that of op(a).
static void NAME(gemm_narrow)(bool a_t, bool b_t, size_t m, size_t begin, size_t end, size_t n, size_t k,
                              const T *a, const T *b, T *c, T *scratch) {
  T buffer[NARROW * 4 * LANES];
  for (size_t i = begin; i < end;) {
    size_t vectors = (end - i + LANES - 1) / LANES, width = NAME(tile_width)(n, vectors);
    size_t rows = end - i < width * LANES ? end - i : width * LANES;
    for (size_t p = 0; p < k; p += NARROW_K) {
      size_t depth = k - p < NARROW_K ? k - p : NARROW_K;
      const T *right = a_t ? a + p * m + i : a + i * k + p;
      ptrdiff_t right_k = (ptrdiff_t)m;
      if (!a_t || rows < width * LANES) {
        NAME(pack_panel)(!a_t, rows, width, depth, right, a_t ? m : k, scratch);
        right = scratch, right_k = (ptrdiff_t)(width * LANES);
      }
      NAME(tile)(n, width, depth, b_t ? b + p : b + p * n, b_t ? (ptrdiff_t)k : 1, b_t ? 1 : (ptrdiff_t)n,
                 right, right_k, buffer, width * LANES, p > 0, NULL, false);
    }
    for (size_t r = 0; r < rows; r++)
      for (size_t j = 0; j < n; j++) c[(i + r) * n + j] = buffer[j * width * LANES + r];
    i += rows;
  }
}

// Whether f(c + bias) is cheap enough to be computed in the tile, which saves a pass over c.
INLINE bool NAME(ends_in_tiles)(const T *bias, ck_epilogue f) {
  return bias != NULL && (f == CK_IDENTITY_EPILOGUE || f == CK_RELU_EPILOGUE);
}

static void NAME(gemm)(bool a_t, bool b_t, size_t m, size_t begin, size_t end, size_t n, size_t k, const T *a,
                       const T *b, const T *bias, ck_epilogue f, T *c, T *scratch) {
  if (begin == end || n == 0) return;
  const bool is_narrow = n <= NARROW && n < m, in_tiles = k > 0 && !is_narrow && NAME(ends_in_tiles)(bias, f);
  const T *tile_bias = in_tiles ? bias : NULL;
  T *const own = c + begin * n;
  if (k == 0) NAME(fill)(0, own, (end - begin) * n);
  else if (is_narrow) NAME(gemm_narrow)(a_t, b_t, m, begin, end, n, k, a, b, c, scratch);
  else
    NAME(gemm_panels)(a_t, b_t, m, begin, end, n, k, a, b, NULL, tile_bias, f == CK_RELU_EPILOGUE, c,
                      scratch);
  if (!in_tiles) NAME(finish)(end - begin, n, bias, f, own);
}

static void NAME(gemm_staircase)(bool a_t, bool b_t, size_t m, size_t begin, size_t end, size_t n, size_t k,
                                 const T *a, const T *b, const ck_staircase *stairs, const T *bias,
                                 ck_epilogue f, T *c, T *scratch) {
  if (begin == end || n == 0) return;
  const bool in_tiles = k > 0 && !a_t && NAME(ends_in_tiles)(bias, f);
  const T *tile_bias = in_tiles ? bias : NULL;
  T *const own = c + begin * n;
  if (k == 0) NAME(fill)(0, own, (end - begin) * n);
  else
    NAME(gemm_panels)(a_t, b_t, m, begin, end, n, k, a, b, stairs, tile_bias, f == CK_RELU_EPILOGUE, c,
                      scratch);
  if (a_t)
    for (size_t i = begin; i < end; i++)
      NAME(fill)(0, c + i * n + (stairs->is_lower ? stairs->limit[i] : 0),
                 stairs->is_lower ? n - stairs->limit[i] : stairs->first[i]);
  if (!in_tiles) NAME(finish)(end - begin, n, bias, f, own);
}

// The rows of c are the units of a layer, for all rows of a batch. No operand is packed; the tile reads both
// in place.
static void NAME(dense_units)(size_t rows, size_t depth, size_t units, const T *known, const T *weight,
                              size_t weight_row, const T *bias, ck_epilogue f, T *y) {
  for (size_t r = 0; r < rows;) {
    const size_t width = NAME(tile_width)(units, (rows - r + LANES - 1) / LANES), whole = width * LANES;
    const size_t count = rows - r < whole ? rows - r : whole, most = NAME(tile_rows)(width);
    const size_t tiles = (units + most - 1) / most;
    const bool in_place = count == whole;
    T last[4 * LANES * 64];
    for (size_t t = 0; t < tiles; t++) {
      const size_t first = NAME(share)(units, tiles, t), height = NAME(share)(units, tiles, t + 1) - first;
      for (size_t p = 0; p == 0 || p < depth; p += 64) {
        const size_t some = in_place ? depth : depth - p < 64 ? depth - p : 64;
        if (!in_place) NAME(pack_panel)(false, count, width, some, known + p * rows + r, rows, last);
        NAME(tile_to)(height, width, count, some, weight + p * weight_row + first, 1, (ptrdiff_t)weight_row,
                      in_place ? known + r : last, (ptrdiff_t)(in_place ? rows : whole), y + first * rows + r,
                      rows, p > 0, NULL, false);
        if (in_place) break;
      }
    }
    r += count;
  }
  for (size_t u = 0; u < units; u++) {
    T repeated[256];
    NAME(fill)(bias[u], repeated, rows < 256 ? rows : 256);
    for (size_t r = 0; r < rows; r += 256)
      NAME(finish_row)(f, repeated, y + u * rows + r, rows - r < 256 ? rows - r : 256);
  }
}
#undef BLOCK_M
#undef SLAB_M
#undef IN_PLACE_BYTES
#undef NARROW_K
