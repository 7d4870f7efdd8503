// Kernels: loops over contiguous memory without allocation, policy or state.
//
// Every function gives the same bits on every instruction set, for any length, position or tiling:
//  - an element of a product is one chain of fused multiply-adds over rising k, started at zero;
//  - a sum has a fixed order that depends on its length alone;
//  - an elementwise function is a fixed sequence of IEEE operations per lane.
// The sign and payload of a NaN may differ.
//
// Every function exists for `f32` and for `f64`. A pointer needs the alignment of its element type.
#ifndef CKERNELS_H
#define CKERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Elementwise functions of one argument. `body/elementwise.h` states their measured accuracy.
typedef enum ck_unary {
  CK_NEGATE, CK_ABS, CK_SIGN, CK_SQUARE, CK_SQRT, CK_RECIPROCAL, CK_FLOOR,
  CK_RELU,      // max(x, 0); NaN stays NaN
  CK_EXP, CK_EXPM1, CK_LOG, CK_LOG1P,
  CK_TANH, CK_SIGMOID, CK_SOFTPLUS,
  CK_ERF, CK_ERFINV,  // erfinv by Giles' polynomials, evaluated as in XLA
  CK_SIN, CK_COS, CK_ATAN,
} ck_unary;

/// Elementwise functions of two arguments. Comparisons give 1 or 0. `CK_D_F` is a step of the chain rule, g *
/// F'(x). Its first argument is g; its second is F's argument x or result y, as named below.
typedef enum ck_binary {
  CK_ADD, CK_SUBTRACT, CK_MULTIPLY, CK_DIVIDE, CK_MAXIMUM, CK_MINIMUM, CK_POW,  // max and min keep NaN
  CK_LESS, CK_LESS_EQUAL, CK_EQUAL, CK_NOT_EQUAL,
  CK_D_RELU,      // (g, y): g where y > 0, else 0
  CK_D_TANH,      // (g, y): g * (1 - y*y)
  CK_D_SIGMOID,   // (g, y): g * (y * (1 - y))
  CK_D_SOFTPLUS,  // (g, x): g * sigmoid(x)
  CK_D_LOG1P,     // (g, x): g / (1 + x)
  CK_D_EXPM1,     // (g, y): g * (y + 1)
  CK_D_ERF,       // (g, x): g * 2/sqrt(pi) * exp(-x*x)
  CK_D_ERFINV,    // (g, y): g * sqrt(pi)/2 * exp(y*y)
  CK_D_SIN,       // (g, x): g * cos(x)
  CK_D_COS,       // (g, x): g * -sin(x)
  CK_D_ATAN,      // (g, x): g / (1 + x*x)
  CK_D_SQRT,      // (g, y): g * 0.5 / y, and 0 where y == 0
  CK_D_ABS,       // (g, x): g * sign(x)
} ck_binary;

/// The function f of a fused product, c = f(c + bias[column]).
typedef enum ck_epilogue { CK_IDENTITY_EPILOGUE, CK_RELU_EPILOGUE, CK_TANH_EPILOGUE, CK_SIGMOID_EPILOGUE, CK_SOFTPLUS_EPILOGUE } ck_epilogue;

/// The log-scale s of an affine coupling as a function of its raw number r: r, p tanh(r / p) or log sigmoid(r
/// + p).
typedef enum ck_scale { CK_EXPONENTIAL, CK_BOUNDED, CK_LOG_SIGMOID } ck_scale;

/// The coefficients of an Adam step.
typedef struct ck_adam {
  double rate, mean_decay, square_decay, mean_scale, square_scale, epsilon, weight_decay;
} ck_adam;

/// A staircase: a matrix that is zero in the rows from limit[j] on of column j, and in the columns before
/// first[i] of row i. Both arrays rise and describe the same elements.
typedef struct ck_staircase {
  const uint32_t *limit, *first;
} ck_staircase;

/// A rational-quadratic spline. The raw parameters of a number are `bins` widths, `bins` heights and the
/// slopes of the `bins` - 1 inner knots. A `circular` spline has `bins` slopes, of which the first is that of
/// both ends.
typedef struct ck_spline {
  size_t bins;  // at most CK_SPLINE_BINS
  bool circular;
  double bound, least_bin, least_derivative;  // least_bin is a share of the interval [-bound, bound]
  double offset;                              // added to a raw slope
} ck_spline;

enum { CK_SPLINE_BINS = 64, CK_PLU_SOLVE_MAX = 256 };
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

#define CK_DECLARE(T, S, I, U) \
  /* y[i] = f(x[i]); y may be x. */ \
  void ck_unary_##S(ck_unary f, const T *x, T *y, size_t n); \
  /* y[i] = f(a[i * a_step], b[i * b_step]); steps are 0 or 1. y may be a or b if its step is 1. */ \
  void ck_binary_##S(ck_binary f, const T *a, int a_step, const T *b, int b_step, T *y, size_t n); \
  /* y[i] = mask[i] != 0 ? a[i] : b[i], with steps as above. */ \
  void ck_select_##S(const T *mask, int mask_step, const T *a, int a_step, const T *b, int b_step, T *y, size_t n); \
  /* y[i] = value */ \
  void ck_fill_##S(T value, T *y, size_t n); \
  /* y[r] = sum over c of x[r][c]. A row is summed in blocks of 1024. A block has 16 (f32) or 8 (f64) \
     lanes by c mod lanes, which are folded in halves. The sums of blocks are added in double, in rising \
     order. */ \
  void ck_sum_rows_##S(const T *x, size_t rows, size_t columns, T *y); \
  /* y[c] = sum over r of x[r][c], in rising order of r. */ \
  void ck_sum_columns_##S(const T *x, size_t rows, size_t columns, T *y); \
  /* The largest element of each row; NaN if the row holds one; -infinity for no columns. */ \
  void ck_max_rows_##S(const T *x, size_t rows, size_t columns, T *y); \
  /* The largest element of each column, as above. */ \
  void ck_max_columns_##S(const T *x, size_t rows, size_t columns, T *y); \
  /* The running sums along each row, from the left, or from the right if `reverse`. */ \
  void ck_cumsum_rows_##S(const T *x, size_t rows, size_t columns, bool reverse, T *y); \
  /* y[columns][rows] = transpose of x[rows][columns]. */ \
  void ck_transpose_##S(const T *x, size_t rows, size_t columns, T *y); \
  /* y[o][j][.] = x[o][index[j]][.] for o < outer and j < picks, in runs of `inner` elements. `length` is \
     the size of the axis in x. */ \
  void ck_gather_##S(const T *x, size_t outer, size_t length, size_t inner, const int32_t *index, size_t picks, T *y); \
  /* y[o][index[j]][.] += x[o][j][.] in rising order of j. */ \
  void ck_scatter_add_##S(const T *x, size_t outer, size_t length, size_t inner, const int32_t *index, size_t picks, T *y); \
  /* The number of elements of scratch that `ck_gemm` needs. */ \
  size_t ck_gemm_scratch_##S(size_t m, size_t n, size_t k); \
  /* c[m][n] = f(op(a) op(b) + bias), row-major and contiguous. The factor op(a) is a[m][k], or the \
     transpose of a[k][m] if a_t. The factor op(b) is b[k][n], or the transpose of b[n][k] if b_t. \
     bias[n] may be NULL. k == 0 gives f(0 + bias). */ \
  void ck_gemm_##S(bool a_t, bool b_t, size_t m, size_t n, size_t k, const T *a, const T *b, const T *bias, \
                   ck_epilogue f, T *c, T *scratch); \
  /* Solves op(t) x = b for x in place: x[n][columns] holds b on entry. op transposes t[n][n] if t_t. \
     `lower` names the stored triangle of t, which alone is read, without its diagonal if `unit`. */ \
  void ck_triangular_solve_##S(bool lower, bool t_t, bool unit, size_t n, size_t columns, const T *t, T *x); \
  /* Solves x W = y for x[rows][n]. Row i of W is row order[i] of L U. factors[n][n] holds U, and below \
     its diagonal L, whose diagonal is 1. n is at most CK_PLU_SOLVE_MAX. */ \
  void ck_plu_solve_##S(size_t n, size_t rows, const T *factors, const int32_t *order, const T *y, T *x); \
  /* Factors a[n][n] in place into U and, below the diagonal, L with diagonal 1. The pivot is the first of \
     the largest. permutation[i] is the input's row that becomes row i. Returns the permutation's sign. A \
     zero pivot stays. */ \
  int ck_lu_##S(size_t n, T *a, int32_t *permutation); \
  /* The thin QR factors of a[rows][columns], rows >= columns, by Householder reflections: \
     q[rows][columns] and the upper triangular r[columns][columns], whose diagonal is not negative. \
     scratch has rows * columns + 2 * rows elements. */ \
  void ck_qr_##S(size_t rows, size_t columns, const T *a, T *q, T *r, T *scratch); \
  /* y = max(low, fma(u, high - low, low)) with u in [0, 1) from the upper 23 (52) bits, as in \
     jax.random.uniform. */ \
  void ck_uniform_##S(const U *bits, size_t n, T low, T high, T *y); \
  /* y = x e^s + t, or y = (x - t) e^-s if `inverse`; also the log-scale s. x, y and s are [rows][n]; a \
     row of raw[rows][2n] holds r and then t. */ \
  void ck_affine_##S(ck_scale form, T parameter, bool inverse, size_t rows, size_t n, const T *x, const T *raw, T *y, \
                     T *log_scale); \
  /* The cotangents gx and graw from the cotangents g[rows][n] of y and l[rows] of the log-determinant, \
     which is the sum of s in a row (of -s if `inverse`). g or l may be NULL for zero. */ \
  void ck_affine_pullback_##S(ck_scale form, T parameter, bool inverse, size_t rows, size_t n, const T *g, const T *l, \
                              const T *x, const T *y, const T *log_scale, T *gx, T *graw); \
  /* An Adam step of one leaf: its next moments and its step. `weight` is read only if weight_decay is not \
     0. */ \
  void ck_adam_##S(const ck_adam *a, size_t n, const T *g, const T *mean, const T *square, const T *weight, \
                   T *next_mean, T *next_square, T *step); \
  /* `ck_gemm` with a staircase: b[k][n], or the transpose of b[n][k] if b_t, or c[m][n] if a_t. Elements \
     of b below its stairs are not read; those of c are zero. Zero blocks take no time. */ \
  void ck_gemm_staircase_##S(bool a_t, bool b_t, size_t m, size_t n, size_t k, const T *a, const T *b, \
                             const ck_staircase *stairs, const T *bias, ck_epilogue f, T *c, T *scratch); \
  /* y[units][rows] = f(weight^T known + bias) for known[depth][rows] and weight[depth][units], whose rows \
     are weight_row elements apart. */ \
  void ck_dense_units_##S(size_t rows, size_t depth, size_t units, const T *known, const T *weight, size_t weight_row, \
                          const T *bias, ck_epilogue f, T *y); \
  /* A spline of n numbers x with raw parameters [n][...]: y and log dy/dx. It is the identity beyond its \
     bounds. If `inverse`, x holds the spline's results and y receives its arguments. */ \
  void ck_spline_##S(const ck_spline *s, bool inverse, size_t n, const T *x, const T *raw, T *y, T *log_slope); \
  /* The cotangents gx and graw from the cotangents g of y and l of log dy/dx; g or l may be NULL for \
     zero. */ \
  void ck_spline_pullback_##S(const ck_spline *s, bool inverse, size_t n, const T *g, const T *l, const T *x, const T *raw, \
                              T *gx, T *graw);

CK_DECLARE(float, f32, int32_t, uint32_t)
CK_DECLARE(double, f64, int64_t, uint64_t)
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

#endif
