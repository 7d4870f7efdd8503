// The last pass of a product, c = f(c + bias).
#define FINISH(opcode, function) \
  case opcode: \
    for (size_t i = 0; i < n; i += LANES) { \
      V x = NAME(load)(c + i) + NAME(load)(bias + i); \
      NAME(store)(c + i, function); \
    } \
    break;

static void NAME(finish_whole)(ck_epilogue f, const T *bias, T *c, size_t n) {
  switch (f) {
    FINISH(CK_IDENTITY_EPILOGUE, x)
    FINISH(CK_RELU_EPILOGUE, NAME(relu)(x))
    FINISH(CK_TANH_EPILOGUE, NAME(tanh)(x))
    FINISH(CK_SIGMOID_EPILOGUE, NAME(sigmoid)(x))
    FINISH(CK_SOFTPLUS_EPILOGUE, NAME(softplus)(x))
  }
}
#undef FINISH

// c and bias may have any length; tails are padded as in elementwise.h.
static void NAME(finish_row)(ck_epilogue f, const T *bias, T *c, size_t n) {
  size_t whole = n / LANES * LANES, rest = n - whole;
  NAME(finish_whole)(f, bias, c, whole);
  if (rest == 0) return;
  T c_lanes[LANES], bias_lanes[LANES];
  NAME(store)(c_lanes, NAME(load_some)(c + whole, rest));
  NAME(store)(bias_lanes, NAME(load_some)(bias + whole, rest));
  NAME(finish_whole)(f, bias_lanes, c_lanes, LANES);
  for (size_t i = 0; i < rest; i++) c[whole + i] = c_lanes[i];
}

static void NAME(finish)(size_t m, size_t n, const T *bias, ck_epilogue f, T *c) {
  if (bias == NULL) {
    switch (f) {
      case CK_IDENTITY_EPILOGUE: return;
      case CK_RELU_EPILOGUE: NAME(unary)(CK_RELU, c, c, m * n); return;
      case CK_TANH_EPILOGUE: NAME(unary)(CK_TANH, c, c, m * n); return;
      case CK_SIGMOID_EPILOGUE: NAME(unary)(CK_SIGMOID, c, c, m * n); return;
      case CK_SOFTPLUS_EPILOGUE: NAME(unary)(CK_SOFTPLUS, c, c, m * n); return;
    }
  }
  T repeated[16 * LANES * LANES];
  size_t period = n;
  if (n <= 8 * LANES) {  // In short rows the bias repeats after LANES rows, which are n whole vectors.
    const size_t rows = n < LANES ? LANES : 16 * LANES * LANES / n;
    period = n * (rows < m ? rows : m);
    for (size_t i = 0; i < period; i += n) __builtin_memcpy(repeated + i, bias, n * sizeof(T));
    bias = repeated;
  }
  for (size_t i = 0; i < m * n; i += period)
    NAME(finish_row)(f, bias, c + i, m * n - i < period ? m * n - i : period);
}
