// All kernels of one element type. No system header is included, since the compiler's target is changed here.
#include "type_f64.h"
#include "vector.h"
#include "basic.h"
#include "exponential.h"
#include "logarithm_f64.h"
#include "logarithm.h"
#include "giles_f64.h"
#include "error_function.h"
#include "trigonometry.h"
#include "power.h"
#include "power_f64.h"
#include "elementwise.h"
#include "shuffle_f64.h"
#include "shape.h"
#include "reduce.h"
#include "tile.h"
#include "finish.h"
#include "gemm.h"
#include "linear.h"
#include "qr.h"
#include "affine.h"
#include "adam.h"
#include "spline.h"
#include "autm.h"
#include "kernel_mean.h"
#include "uniform.h"
#include "type_end.h"

#include "type_f32.h"
#include "vector.h"
#include "basic.h"
#include "exponential.h"
#include "logarithm_f32.h"
#include "logarithm.h"
#include "giles_f32.h"
#include "error_function.h"
#include "trigonometry.h"
#include "power.h"
#include "power_f32.h"
#include "elementwise.h"
#include "shuffle_f32.h"
#include "shape.h"
#include "reduce.h"
#include "tile.h"
#include "finish.h"
#include "gemm.h"
#include "linear.h"
#include "qr.h"
#include "affine.h"
#include "adam.h"
#include "spline.h"
#include "autm.h"
#include "kernel_mean.h"
#include "uniform.h"
#include "random.h"
#include "type_end.h"

#include "convert.h"

const ck_table TABLE = {
  .name = TABLE_NAME,
#define FIELD(result, name, parameters, arguments) .name##_f32 = name##_f32, .name##_f64 = name##_f64,
  CK_KERNELS(FIELD, , , )
#undef FIELD
#define FIELD(function) .function = function,
  CK_OTHERS(FIELD)
#undef FIELD
};
