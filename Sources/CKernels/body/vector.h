// The logical vector has 64 bytes on every instruction set. The compiler splits it if registers are narrower.
typedef T NAME(floats) __attribute__((vector_size(64)));
typedef SIGNED NAME(ints) __attribute__((vector_size(64)));
typedef UNSIGNED NAME(bits) __attribute__((vector_size(64)));
#define V NAME(floats)
#define I NAME(ints)
#define U NAME(bits)
#define fma(a, b, c) __builtin_elementwise_fma(a, b, c)

INLINE V NAME(splat)(T x) {
  return x - (V){0};
}

INLINE V NAME(load)(const T *p) {
  V v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

INLINE void NAME(store)(T *p, V v) {
  __builtin_memcpy(p, &v, sizeof v);
}

// Loads the first `count` lanes from memory; the others are zero.
INLINE V NAME(load_some)(const T *p, size_t count) {
  T lanes[LANES] = {0};
  for (size_t i = 0; i < count; i++) lanes[i] = p[i];
  return NAME(load)(lanes);
}

INLINE void NAME(store_some)(T *p, V v, size_t count) {
  T lanes[LANES];
  NAME(store)(lanes, v);
  for (size_t i = 0; i < count; i++) p[i] = lanes[i];
}

// The same for a count that is mostly that of a whole vector.
INLINE V NAME(load_part)(const T *p, size_t count) {
  return count == LANES ? NAME(load)(p) : NAME(load_some)(p, count);
}

INLINE void NAME(store_part)(T *p, V v, size_t count) {
  if (count == LANES) NAME(store)(p, v); else NAME(store_some)(p, v, count);
}

// Computes mask ? a : b for a mask whose lanes are all ones or all zeros.
INLINE V NAME(choose)(I mask, V a, V b) {
  return (V)(((I)a & mask) | ((I)b & ~mask));
}

INLINE V NAME(magnitude)(V x) {
  return (V)((U)x & ~((U){0} + SIGN_BIT));
}

INLINE V NAME(with_sign_of)(V x, V sign) {
  return (V)((U)NAME(magnitude)(x) | ((U)sign & SIGN_BIT));
}

// Evaluates a polynomial by Horner's scheme, from the highest coefficient.
INLINE V NAME(horner)(V x, const T *coefficients, int count) {
  V sum = NAME(splat)(coefficients[0]);
  for (int i = 1; i < count; i++) sum = fma(sum, x, NAME(splat)(coefficients[i]));
  return sum;
}
#define POLYNOMIAL(x, ...) \
  NAME(horner)(x, (const T[]){__VA_ARGS__}, sizeof((const T[]){__VA_ARGS__}) / sizeof(T))
