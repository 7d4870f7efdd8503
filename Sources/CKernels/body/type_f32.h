// The element type of the following bodies: float with sixteen lanes.
#define T float
#define NAME(name) name##_f32
#define LANES 16
#define SIGNED int32_t
#define UNSIGNED uint32_t
#define MANTISSA_BITS 23
#define EXPONENT_BIAS 127
#define SIGN_BIT 0x80000000u
#define SMALLEST_NORMAL 0x1p-126f
// The bits of sqrt(1/2), at which log splits the mantissa.
#define SQRT_HALF_BITS 0x3f3504f3u
// The arguments at which e^x is 0 and infinity, and e^x - 1 is -1.
#define EXP_LOW -104.0f
#define EXP_HIGH 89.0f
#define EXPM1_LOW -18.0f
#define LOG2_E 0x1.715476p+0f
#define LN2_HIGH 0x1.62e43p-1f
#define LN2_LOW -0x1.05c61p-29f
#define TWO_OVER_PI 0x1.45f306p-1f
#define HALF_PI_1 0x1.921fb6p+0f
#define HALF_PI_2 -0x1.777a5cp-25f
#define HALF_PI_3 -0x1.ee59dap-50f
// The limit of the three-part reduction, up to which n * HALF_PI_1 cancels exactly. Payne and Hanek's serves
// beyond.
#define TRIGONOMETRIC_LIMIT 131072.0f
#define TWO_OVER_ROOT_PI 0x1.20dd76p+0f
#define HALF_ROOT_PI 0x1.c5bf8ap-1f
// The argument from which on 1 - erf is below half an ulp of 1, and the centre of ERFC_POLYNOMIAL.
#define ERF_HIGH 3.95f
#define ERFC_CENTRE 1.25f
// The size of 1 - y^2, 1 - y and y + 1 below which they have lost too many digits of a derivative.
#define SLOPE_TAIL 0.0625f
