// Kernels: loops over contiguous memory without allocation, policy or state.
//
// Every function gives the same bits on every instruction set, for any length, position or tiling:
//  - an element of a product is one chain of fused multiply-adds over rising k, started at zero;
//  - a sum has a fixed order that depends on its length alone;
//  - an elementwise function is a fixed sequence of IEEE operations per lane.
// The sign and payload of a NaN may differ.
//
// A kernel exists for float and for double, and its first argument names the type. Pointers need the
// alignment of their element only.
#ifndef CKERNELS_H
#define CKERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Elementwise functions of one argument. The measured accuracy of each stands in `body/elementwise.h`.
typedef enum ck_function {
  CK_NEGATE, CK_ABS, CK_SIGN, CK_SQUARE, CK_SQRT, CK_RECIPROCAL, CK_FLOOR,
  CK_RELU,      // max(x, 0); NaN stays NaN
  CK_EXP, CK_EXPM1, CK_LOG, CK_LOG1P,
  CK_TANH, CK_SIGMOID, CK_SOFTPLUS,
  CK_ERF, CK_ERFINV,  // erfinv by Giles' polynomials, evaluated as in XLA
  CK_GELU,            // x (1 + erf(x / sqrt(2))) / 2
  CK_SIN, CK_COS, CK_ATAN,
  CK_TANH_SLOPE, CK_SIGMOID_SLOPE,  // the derivatives of tanh and sigmoid, accurate in both tails
} ck_function;

/// Elementwise functions of two arguments. Comparisons give 1 or 0. `CK_D_F` is g * F'(x), the chain rule's
/// step. Its first argument is g. The second is the argument x or the result y of F, as noted.
typedef enum ck_operation {
  CK_ADD, CK_SUBTRACT, CK_MULTIPLY, CK_DIVIDE,
  CK_MAXIMUM, CK_MINIMUM,  // NaN if either is NaN
  CK_POW,
  CK_LESS, CK_LESS_EQUAL, CK_EQUAL, CK_NOT_EQUAL,
  CK_D_RELU,      // (g, y): g where y > 0, else 0
  CK_D_TANH,      // (g, y): g * (1 - y*y), to an ulp of 1; ck_chain is accurate in the tails
  CK_D_SIGMOID,   // (g, y): g * (y * (1 - y)), to an ulp of 1; ck_chain is accurate in the upper tail
  CK_D_SOFTPLUS,  // (g, x): g * sigmoid(x)
  CK_D_LOG1P,     // (g, x): g / (1 + x)
  CK_D_ERF,       // (g, x): g * 2/sqrt(pi) * exp(-x*x)
  CK_D_ERFINV,    // (g, y): g * sqrt(pi)/2 * exp(y*y)
  CK_D_SIN,       // (g, x): g * cos(x)
  CK_D_COS,       // (g, x): g * -sin(x)
  CK_D_ATAN,      // (g, x): g / (1 + x*x)
  CK_D_SQRT,      // (g, y): g * 0.5 / y, and 0 where y == 0
  CK_D_ABS,       // (g, x): g * sign(x)
} ck_operation;

/// The function f that a matrix product applies to its elements before it stores them: f(c + bias[column]).
typedef enum ck_epilogue {
  CK_IDENTITY_EPILOGUE, CK_RELU_EPILOGUE, CK_TANH_EPILOGUE, CK_SIGMOID_EPILOGUE, CK_SOFTPLUS_EPILOGUE
} ck_epilogue;

/// The log-scale s of an affine coupling as a function of its raw number r: r, p tanh(r / p), or
/// log sigmoid(r + p).
typedef enum ck_scale { CK_EXPONENTIAL, CK_BOUNDED, CK_LOG_SIGMOID } ck_scale;

/// The numbers of one Adam step.
typedef struct ck_adam_numbers {
  double rate, mean_decay, square_decay, mean_scale, square_scale, epsilon, weight_decay;
} ck_adam_numbers;

/// A staircase: a matrix that is zero in the rows from limit[j] on of column j, and in the columns before
/// first[i] of row i. Both arrays rise and describe the same elements. If `is_lower`, the transpose of that.
typedef struct ck_staircase {
  const uint32_t *limit, *first;
  bool is_lower;
} ck_staircase;

/// A rational-quadratic spline. The raw parameters of a number are `bins` widths, `bins` heights and the
/// slopes at the `bins` - 1 inner knots. A `circular` spline has `bins` slopes. The first is
/// that of both ends.
typedef struct ck_spline_form {
  size_t bins;  // at most CK_SPLINE_BINS
  bool circular;
  double bound, least_bin, least_derivative;  // bins as shares of the interval from -bound to bound
  double offset;                              // is added to a raw slope
} ck_spline_form;

/// The heads of an attention, each with `width` channels, and the factor of its scores.
typedef struct ck_heads {
  size_t heads, width;
  double factor;
  bool causal;
} ck_heads;

enum { CK_SPLINE_BINS = 64, CK_PLU_SOLVE_MAX = 256, CK_AUTM_UNITS = 64, CK_AUTM_STEPS = 256 };
/// The largest slope at a knot.
#define CK_SPLINE_STEEPEST 1000000

/// The instruction set in use: "baseline", "v3" or "v4" on x86-64, "baseline" (NEON) on arm64. The first call
/// chooses the best one. The environment variable SWIFT_FLOWS_ISA can name another; an unknown or unsupported
/// name is ignored.
const char *ck_instruction_set(void);
/// Whether this machine has the named set.
bool ck_has_instruction_set(const char *name);
/// Changes to the named set. Returns false without a change if this machine lacks it. This is for tests: no
/// other kernel may run meanwhile.
bool ck_use_instruction_set(const char *name);

/// The element type of a kernel's memory.
typedef enum ck_type { CK_F32, CK_F64 } ck_type;

// All kernels: X(result, name, parameters, arguments). T is the element type, N the type of a single
// number, and U the unsigned integer of T's width.
#define CK_KERNELS(X, T, N, U) \
  /* y[i] = f(x[i]); y may be x. */ \
  X(void, unary, (ck_function f, const T *x, T *y, size_t n), (f, x, y, n)) \
  /* y[i] = f(a[i * a_step], b[i * b_step]). A step is 0 or 1. y may be an operand whose step is 1. */ \
  X(void, binary, (ck_operation f, const T *a, int a_step, const T *b, int b_step, T *y, size_t n), \
    (f, a, a_step, b, b_step, y, n)) \
  /* y[i] = g[i] * f'(x[i]) for tanh, sigmoid, expm1 and gelu, given fx[i] = f(x[i]). y may be g. */ \
  X(void, chain, (ck_function f, const T *g, const T *x, const T *fx, T *y, size_t n), (f, g, x, fx, y, n)) \
  /* y[i] = mask[i] != 0 ? a[i] : b[i], steps as above. */ \
  X(void, select, (const T *mask, int mask_step, const T *a, int a_step, const T *b, int b_step, T *y, \
    size_t n), (mask, mask_step, a, a_step, b, b_step, y, n)) \
  /* y[i] = value */ \
  X(void, fill, (N value, T *y, size_t n), (value, y, n)) \
  /* y[r] = sum over c of x[r][c]. A block of 1024 columns is summed in 16 (f32) or 8 (f64) lanes by c \
     mod lanes, which are folded in halves. Sums of blocks are added in double, in rising order. */ \
  X(void, sum_rows, (const T *x, size_t rows, size_t columns, T *y), (x, rows, columns, y)) \
  /* y[c] = sum over r of x[r][c], rising r. */ \
  X(void, sum_columns, (const T *x, size_t rows, size_t columns, T *y), (x, rows, columns, y)) \
  /* y[r] += sum over c of x[r][c]^2. */ \
  X(void, square_rows, (const T *x, size_t rows, size_t columns, double *y), (x, rows, columns, y)) \
  /* y[r] += the sum of squares of the products h[r][i] d[r][j]. */ \
  X(void, square_products, (const T *h, const T *d, size_t rows, size_t ins, size_t outs, double *y), \
    (h, d, rows, ins, outs, y)) \
  /* The same for i > j < n if `lower`, where h[r][i] stands at place order[i], which may be NULL for i. \
     Otherwise for i < j, and scale[j] h[r][j] d[r][j] + shift[j] on the diagonal; shift may be NULL for \
     zeros. Each row is summed in the type of its elements. scratch has 64 n bytes. */ \
  X(void, square_triangle, (bool lower, size_t n, const T *h, const T *d, const T *scale, const T *shift, \
    const int32_t *order, size_t rows, double *y, T *scratch), \
    (lower, n, h, d, scale, shift, order, rows, y, scratch)) \
  /* y[r][c] = f[r] x[r][c] */ \
  X(void, scale_rows, (const T *f, const T *x, size_t rows, size_t columns, T *y), \
    (f, x, rows, columns, y)) \
  /* y[r][c] = (x[r][c] - b[c]) s[c], or x[r][c] s[c] + b[c] if `inverse`. */ \
  X(void, scale_columns, (bool inverse, size_t rows, size_t columns, const T *x, const T *s, const T *b, \
    T *y), (inverse, rows, columns, x, s, b, y)) \
  /* y[c] = sum over r of f[r] x[r][c], rising r. */ \
  X(void, weighted_columns, (const T *f, const T *x, size_t rows, size_t columns, T *y), \
    (f, x, rows, columns, y)) \
  /* y[i] = scale (x[i] + deviation noise[i]) in double, rounded once more. y may be x. */ \
  X(void, add_noise, (double deviation, double scale, const double *noise, const T *x, size_t n, T *y), \
    (deviation, scale, noise, x, n, y)) \
  /* The largest element of each row; NaN if the row holds one; -infinity for no columns. */ \
  X(void, max_rows, (const T *x, size_t rows, size_t columns, T *y), (x, rows, columns, y)) \
  /* The largest element of each column, as above. */ \
  X(void, max_columns, (const T *x, size_t rows, size_t columns, T *y), (x, rows, columns, y)) \
  /* Running sums along each row, from the left, or from the right if `reverse`. */ \
  X(void, cumsum_rows, (const T *x, size_t rows, size_t columns, bool reverse, T *y), \
    (x, rows, columns, reverse, y)) \
  /* y[columns][rows] = transpose of x[rows][columns]. */ \
  X(void, transpose, (const T *x, size_t rows, size_t columns, T *y), (x, rows, columns, y)) \
  /* y[r * y_row + c] = x[r * x_row + c] for c < columns. Rows do not overlap. */ \
  X(void, copy_rows, (size_t rows, size_t columns, const T *x, size_t x_row, T *y, size_t y_row), \
    (rows, columns, x, x_row, y, y_row)) \
  /* y[r * columns + c] = x[r * x_row + columns - 1 - c] */ \
  X(void, reverse_rows, (size_t rows, size_t columns, const T *x, size_t x_row, T *y), \
    (rows, columns, x, x_row, y)) \
  /* y[o][j][.] = x[o][index[j]][.] for o < outer and j < picks, in runs of `inner` elements. x has \
     `length` entries on that axis. */ \
  X(void, gather, (const T *x, size_t outer, size_t length, size_t inner, const int32_t *index, \
    size_t picks, T *y), (x, outer, length, inner, index, picks, y)) \
  /* y[o][index[j]][.] += x[o][j][.], rising j; y starts as given. */ \
  X(void, scatter_add, (const T *x, size_t outer, size_t length, size_t inner, const int32_t *index, \
    size_t picks, T *y), (x, outer, length, inner, index, picks, y)) \
  /* The number of elements of scratch that `ck_gemm` needs for these sizes. */ \
  X(size_t, gemm_scratch, (size_t m, size_t n, size_t k), (m, n, k)) \
  /* c[m][n] = f(op(a) op(b) + bias), row-major and tightly packed. Here op(a) is a[m][k], or the \
     transpose of a[k][m] if a_t. And op(b) is b[k][n], or the transpose of b[n][k] if b_t. The bias[n] may \
     be NULL. The result is f(0 + bias) for k == 0. Only the rows from `begin` to `end` of c are \
     computed. */ \
  X(void, gemm, (bool a_t, bool b_t, size_t m, size_t begin, size_t end, size_t n, size_t k, const T *a, \
    const T *b, const T *bias, ck_epilogue f, T *c, T *scratch), \
    (a_t, b_t, m, begin, end, n, k, a, b, bias, f, c, scratch)) \
  /* Solves op(t) x = b in place for t[n][n]: x[n][columns] holds b on entry. `lower` names the triangle \
     of t as stored. Nothing else of t is read, nor its diagonal if `unit`. op transposes t if t_t. */ \
  X(void, triangular_solve, (bool lower, bool t_t, bool unit, size_t n, size_t columns, const T *t, T *x), \
    (lower, t_t, unit, n, columns, t, x)) \
  /* Solves x W = y for x[rows][n], where row i of W is row order[i] of L U. factors[n][n] holds U, and \
     below its diagonal L, whose diagonal is 1. n is at most CK_PLU_SOLVE_MAX. */ \
  X(void, plu_solve, (size_t n, size_t rows, const T *factors, const int32_t *order, const T *y, T *x), \
    (n, rows, factors, order, y, x)) \
  /* Replaces a[n][n] by U, with L below the diagonal; the diagonal of L is 1. The pivot is the first of \
     the largest elements. permutation[i] is the input row that ends as row i. Returns the sign of the \
     permutation. A zero pivot is left as it is. */ \
  X(int, lu, (size_t n, T *a, int32_t *permutation), (n, a, permutation)) \
  /* Thin QR of a[rows][columns], rows >= columns, by Householder reflections. q is [rows][columns]. r is \
     [columns][columns], upper triangular with a non-negative diagonal. scratch has rows * columns + 2 * \
     rows elements. */ \
  X(void, qr, (size_t rows, size_t columns, const T *a, T *q, T *r, T *scratch), \
    (rows, columns, a, q, r, scratch)) \
  /* y[i] = max(low, fma(u, high - low, low)) as jax.random.uniform. u in [0, 1) is made of the upper 23 \
     (52) bits. */ \
  X(void, uniform, (const U *bits, size_t n, N low, N high, T *y), (bits, n, low, high, y)) \
  /* y = x e^s + t, or y = (x - t) e^-s if `inverse`. Also stores s. x, y and s are [rows][n]; raw is \
     [rows][2n] and holds r and then t. */ \
  X(void, affine, (ck_scale form, N parameter, bool inverse, size_t rows, size_t n, const T *x, \
    const T *raw, T *y, T *log_scale), (form, parameter, inverse, rows, n, x, raw, y, log_scale)) \
  /* The cotangents gx and graw of `ck_affine`, from g of y [rows][n] and l [rows] of the \
     log-determinants. Those are the rows' sums of s, or of -s if `inverse`. g or l may be NULL for zero. */ \
  X(void, affine_pullback, (ck_scale form, N parameter, bool inverse, size_t rows, size_t n, const T *g, \
    const T *l, const T *x, const T *raw, const T *y, const T *log_scale, T *gx, T *graw), \
    (form, parameter, inverse, rows, n, g, l, x, raw, y, log_scale, gx, graw)) \
  /* Adam: the next moments and the step of one leaf, or the weight after the step if `moves`. Else `weight` \
     is read only where weight_decay is not 0. */ \
  X(void, adam, (const ck_adam_numbers *a, bool moves, size_t n, const T *g, const T *mean, const T *square, \
    const T *weight, T *next_mean, T *next_square, T *result), \
    (a, moves, n, g, mean, square, weight, next_mean, next_square, result)) \
  /* `ck_gemm` for a staircase: b[k][n] where neither a_t nor b_t is set, the transpose of b[n][k] if \
     b_t, or c[m][n] if a_t. Elements of b that are zero in the staircase are not read, and those of c are \
     set to zero. They cost no work. */ \
  X(void, gemm_staircase, (bool a_t, bool b_t, size_t m, size_t begin, size_t end, size_t n, size_t k, \
    const T *a, const T *b, const ck_staircase *stairs, const T *bias, ck_epilogue f, T *c, T *scratch), \
    (a_t, b_t, m, begin, end, n, k, a, b, stairs, bias, f, c, scratch)) \
  /* y[units][rows] = f(weight^T known + bias), unit by unit, for known[depth][rows]. \
     weight[depth][units] has weight_row elements from one row to the next. */ \
  X(void, dense_units, (size_t rows, size_t depth, size_t units, const T *known, const T *weight, \
    size_t weight_row, const T *bias, ck_epilogue f, T *y), \
    (rows, depth, units, known, weight, weight_row, bias, f, y)) \
  /* Evaluates a spline at n numbers x with raw parameters [n][...]; beyond its bounds it is the \
     identity. Stores y and log dy/dx. If `inverse`, x holds the values of the spline, and y receives its \
     arguments. */ \
  X(void, spline, (const ck_spline_form *s, bool inverse, size_t n, const T *x, const T *raw, T *y, \
    T *log_slope), (s, inverse, n, x, raw, y, log_slope)) \
  /* The cotangents gx and graw of `ck_spline`, from g of y and l of log dy/dx. g or l may be NULL for \
     zero. */ \
  X(void, spline_pullback, (const ck_spline_form *s, bool inverse, size_t n, const T *g, const T *l, \
    const T *x, const T *raw, T *gx, T *graw), (s, inverse, n, g, l, x, raw, gx, graw)) \
  /* Integrates n numbers x from time 0 to 1 by `steps` steps. field[n][5 * units + 2] holds rates, sizes, \
     slopes, shifts and tempos, then a linear and a constant term. Stores y and dy/dx. At most \
     CK_AUTM_UNITS units and CK_AUTM_STEPS steps. */ \
  X(void, autm, (size_t units, size_t steps, size_t n, const T *x, const T *field, T *y, T *slope), \
    (units, steps, n, x, field, y, slope)) \
  /* The cotangents gx and gfield of `ck_autm`, from g of y and l of dy/dx. g or l may be NULL for zero. */ \
  X(void, autm_pullback, (size_t units, size_t steps, size_t n, const T *g, const T *l, const T *x, \
    const T *field, T *gx, T *gfield), (units, steps, n, g, l, x, field, gx, gfield)) \
  /* With l_j = -|y - rate x_j|^2 / 2 for y[rows][columns], rate[rows] and x[count][columns], the mean of \
     x_j weighted by exp(l_j), log sum exp(l_j), and the mean of |y - rate x_j|^2. scratch has 2 * columns * \
     64 bytes. */ \
  X(void, kernel_mean, (size_t rows, size_t columns, size_t count, const T *y, const T *rate, const T *x, \
    T *mean, T *log_sum, T *square, T *scratch), \
    (rows, columns, count, y, rate, x, mean, log_sum, square, scratch)) \
  /* The number of elements of scratch that `ck_attention` and its pullback need. */ \
  X(size_t, attention_scratch, (size_t tokens, size_t width), (tokens, width)) \
  /* y[rows][tokens][heads * width] = softmax(factor q k^T) v, head by head, for qkv[rows][tokens][3 * heads \
     * width], which holds queries, keys and values. If `causal`, no token sees a later one. */ \
  X(void, attention, (const ck_heads *a, size_t rows, size_t tokens, const T *qkv, T *y, T *scratch), \
    (a, rows, tokens, qkv, y, scratch)) \
  /* The cotangent of qkv, from g of y. */ \
  X(void, attention_pullback, (const ck_heads *a, size_t rows, size_t tokens, const T *qkv, const T *g, \
    T *gqkv, T *scratch), (a, rows, tokens, qkv, g, gqkv, scratch)) \
  /* The attention of one more token, qkv[rows][3 * heads * width], to `tokens` earlier ones and itself. Its \
     key and value are added to the cache. That has room for 2 * heads * width * room numbers per row. Its \
     rows fill whole vectors. scratch has 2 * heads * width + room vectors, and room is a multiple of 4. */ \
  X(void, attention_step, (const ck_heads *a, size_t rows, size_t tokens, size_t room, const T *qkv, \
    T *cache, T *y, T *scratch), (a, rows, tokens, room, qkv, cache, y, scratch)) \
  /* y = (x - mean) / sqrt(variance + epsilon) * gain + bias for each row of x[rows][n]. */ \
  X(void, layer_norm, (size_t rows, size_t n, N epsilon, const T *x, const T *gain, const T *bias, T *y), \
    (rows, n, epsilon, x, gain, bias, y)) \
  /* The cotangents of x, gain and bias, from g of y. */ \
  X(void, layer_norm_pullback, (size_t rows, size_t n, N epsilon, const T *g, const T *x, const T *gain, \
    T *gx, T *ggain, T *gbias), (rows, n, epsilon, g, x, gain, gx, ggain, gbias)) \
  /* y[i] = h[i] sigmoid(beta h[i]) / 1.1, and its derivative in h[i]. */ \
  X(void, lip_swish, (N beta, size_t n, const T *h, T *y, T *slope), (beta, n, h, y, slope)) \
  /* The cotangents of h, and of beta at each number, from gy of y and gslope of its derivative. */ \
  X(void, lip_swish_pullback, (N beta, size_t n, const T *gy, const T *gslope, const T *h, T *gh, \
    T *gbeta), (beta, n, gy, gslope, h, gh, gbeta))

// ck_NAME(type, ...) runs the kernel for one element type. Pointers to elements are untyped here.
#define CK_BARE(...) __VA_ARGS__
#define CK_DECLARE(result, name, parameters, arguments) result ck_##name(ck_type type, CK_BARE parameters);
CK_KERNELS(CK_DECLARE, void, double, void)
#undef CK_DECLARE

void ck_convert_f32_f64(const float *x, double *y, size_t n);
void ck_convert_f64_f32(const double *x, float *y, size_t n);

/// Computes Threefry-2x32-20 of the block (x0, x1) under the key (k0, k1).
void ck_threefry(uint32_t k0, uint32_t k1, uint32_t x0, uint32_t x1, uint32_t out[2]);
/// Draws 32 bits as JAX does with partitionable keys: y[i] = o0 ^ o1 for the block (hi, lo) of the counter
/// first + i.
void ck_threefry_bits32(uint32_t k0, uint32_t k1, uint64_t first, size_t n, uint32_t *y);
/// Draws 64 bits as JAX does with partitionable keys: y[i] = o0 << 32 | o1 for the same block.
void ck_threefry_bits64(uint32_t k0, uint32_t k1, uint64_t first, size_t n, uint64_t *y);
/// Computes blocks of 16 words of ChaCha20 (Bernstein 2008) for the counters first, first + 1, ... under a
/// nonce of 64 bits.
void ck_chacha(const uint32_t key[8], uint64_t first, uint64_t nonce, size_t blocks, uint32_t *y);
/// Draws n normal numbers by Box-Muller transforms of ChaCha20's blocks first, first + 1, ... Sixteen blocks
/// give 128 numbers. With `secure` they give 32, each half the sum of four numbers of different transforms.
void ck_gaussians(
  const uint32_t key[8], uint64_t first, uint64_t nonce, bool secure, size_t n, double *y);

/// The number of processors to which the process is bound; 0 where the system does not say.
int ck_bound_processors(void);
/// The number of this thread. Threads have 0, 1, 2, ... in the order of their first calls.
int ck_thread_number(void);
/// Asks the system for large pages in a block of whole pages. It may not have them.
void ck_use_large_pages(void *block, size_t bytes);

#endif
