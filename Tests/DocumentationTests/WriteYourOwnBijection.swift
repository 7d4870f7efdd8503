import Flows

/// The code of the article WriteYourOwnBijection, block by block to the letter.
// swift-format-ignore
func writeYourOwnBijection() throws {
  // block 1
  let sinh = Lambda { _, site in
    site.layer("sinh") { _, x, _ in
      0.5 * (exp(x) - exp(-x))
    } logDet: { _, x, _ in
      // log cosh x = |x| + log(1 + e^(-2|x|)) - log 2, which does not overflow.
      (abs(x) + softplus(-2 * abs(x)) - log(Tensor(2, dtype: x.dtype))).sumPerRow()
    } inverse: { _, y, _ in
      // |y| has no derivative at 0, and the inverse has one.
      let isAbove = y .>= 0
      let x = log(select(where: isAbove, y, -y) + sqrt(square(y) + 1))
      return select(where: isAbove, x, -x)
    }
  }
  try LogDetCheck(of: sinh, inputDim: 3, key: Key(0)).verify()
  // end
  // block 2
  /// y = x · exp(scale), one learned number for all channels.
  struct Scale: Bijection {
    func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
      let size = Double(site.inputDim.count)
      let params: Params = ["scale": .leaf(.zeros([1], dtype: site.dtype))]
      return site.layer("Scale", params) { params, x, _ in
        x * exp(params["scale"])
      } logDet: { params, _, _ in
        params["scale"].sum() * size
      } inverse: { params, y, _ in
        y * exp(-params["scale"])
      }
    }
  }
  // end
  // block 3
  try checkLaws(of: Scale(), inputDim: 5)
  try checkLaws(of: Serial(Scale(), ActNorm()), inputDim: 5)
  // end
}
