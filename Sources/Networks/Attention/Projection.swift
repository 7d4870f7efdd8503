import Randomness
import Tensors

/// A dense layer within a transformer, with the parameters of `Dense`.
enum Projection {
  static func params(
    _ key: Key, _ inputs: Int, _ outputs: Int, weight: Initializer = .glorotUniform, dtype: DType
  ) -> Params {
    [
      "weight": .leaf(weight(key, [inputs, outputs], dtype: dtype)),
      "bias": .leaf(.zeros([outputs], dtype: dtype)),
    ]
  }

  static func apply(_ params: Params, _ x: Tensor, _ activation: Activation = .identity) -> Tensor {
    dense(x, params["weight"], params["bias"], activation)
  }
}
