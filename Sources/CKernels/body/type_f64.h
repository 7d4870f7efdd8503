// The element type of the following bodies: double with eight lanes.
#define T double
#define NAME(name) name##_f64
#define LANES 8
#define SIGNED int64_t
#define UNSIGNED uint64_t
#define MANTISSA_BITS 52
#define EXPONENT_BIAS 1023
#define SIGN_BIT 0x8000000000000000u
#define SMALLEST_NORMAL 0x1p-1022
// The bits of sqrt(1/2), at which log splits the mantissa.
#define SQRT_HALF_BITS 0x3fe6a09e667f3bcdu
// The arguments at which e^x is 0 and infinity, and e^x - 1 is -1.
#define EXP_LOW -746.0
#define EXP_HIGH 710.0
#define EXPM1_LOW -38.0
#define LOG2_E 0x1.71547652b82fep+0
#define LN2_HIGH 0x1.62e42fefa39efp-1
#define LN2_LOW 0x1.abc9e3b39803fp-56
#define TWO_OVER_PI 0x1.45f306dc9c883p-1
#define HALF_PI_1 0x1.921fb54442d18p+0
#define HALF_PI_2 0x1.1a62633145c07p-54
#define HALF_PI_3 -0x1.f1976b7ed8fbcp-110
// A safe limit of the three-part reduction. Payne and Hanek's serves beyond.
#define TRIGONOMETRIC_LIMIT 0x1p30
#define TWO_OVER_ROOT_PI 0x1.20dd750429b6dp+0
#define HALF_ROOT_PI 0x1.c5bf891b4ef6bp-1
// The argument from which on 1 - erf is below half an ulp of 1, and the centre of ERFC_POLYNOMIAL.
#define ERF_HIGH 5.95
#define ERFC_CENTRE 2.0
// The size of 1 - y^2, 1 - y and y + 1 below which they have lost too many digits of a derivative.
#define SLOPE_TAIL 0.125
