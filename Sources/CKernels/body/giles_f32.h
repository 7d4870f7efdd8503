// Computes erfinv(x) / x as a function of w = -log(1 - x^2), with the polynomials of M. Giles, "Approximating
// the erfinv function" (GPU Computing Gems, 2010), single precision.
INLINE V giles_f32(V w) {
  V central = POLYNOMIAL(w - 2.5f,
    2.81022636e-08f, 3.43273939e-07f, -3.5233877e-06f, -4.39150654e-06f, 0.00021858087f,
    -0.00125372503f, -0.00417768164f, 0.246640727f, 1.50140941f);
  V tail = POLYNOMIAL(__builtin_elementwise_sqrt(w) - 3,
    -0.000200214257f, 0.000100950558f, 0.00134934322f, -0.00367342844f, 0.00573950773f,
    -0.0076224613f, 0.00943887047f, 1.00167406f, 2.83297682f);
  return choose_f32(w < 5, central, tail);
}
