import Distributions
import Files
import Tensors

extension ParameterSamples {
  /// The parameters of several fits of one distribution, such as a deep ensemble.
  ///
  /// - Throws: the errors of `init(_:weights:)`.
  public init(_ fits: [Fitted], weights: [Double]? = nil) throws(FlowError) {
    try self.init(fits.map(\.params), weights: weights)
  }

  /// The members in a file that was made of `params`.
  ///
  /// ```swift
  /// try SafeTensors(samples.params).write(to: "posterior.safetensors")
  /// let again = try ParameterSamples(SafeTensors.read("posterior.safetensors"), like: samples.members[0])
  /// ```
  ///
  /// - Parameters:
  ///   - file: the file.
  ///   - template: a member's tree, as initialization of the architecture gives it.
  /// - Throws: `FlowError.structure` for a file of another architecture; the errors of `init(_:weights:)`.
  public init(_ file: SafeTensors, like template: Params) throws(FlowError) {
    let count = file.tree[path: "components"]?.children.count ?? 0
    let dtype = file.tree[path: "logWeights"]?.value?.dtype ?? .float32
    let tree: Params = [
      "logWeights": .frozen(.zeros([count], dtype: dtype)),
      "components": Params([Params](repeating: template, count: count)),
    ]
    try self.init(params: file.tree(like: tree, who: "ParameterSamples"))
  }
}
