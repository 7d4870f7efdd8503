import Bijections
import Randomness
import Tensors

extension Laws {
  func checkSameKey(_ a: Specimen, _ b: Specimen) throws {
    guard a.params.isIdentical(to: b.params) else {
      throw fail(.sameKey, "one key gave two parameter trees")
    }
    for (one, other) in zip(try a.directions(), try b.directions()) {
      let (first, second) = (try one(), try other())
      guard first.outputs.isIdentical(to: second.outputs), first.logDet.isIdentical(to: second.logDet) else {
        throw fail(.sameKey, "one key gave two functions, \(one.label)")
      }
    }
  }

  func checkLoading(_ specimen: Specimen) throws {
    let (_, forward, inverse) = try bijection(
      key.folded(in: 7), inputDim: inputDim, contextDim: contextDim, dtype: .float32)
    for (direction, other) in zip(try specimen.directions(), [forward, inverse]) {
      let here = try direction()
      let there = try other.shaped(specimen.params, direction.inputs, direction.context)
      guard here.outputs.isIdentical(to: there.outputs), here.logDet.isIdentical(to: there.logDet)
      else { throw fail(.loading, "the same parameters are another function under another key") }
    }
  }

  func checkBoundary(_ specimen: Specimen) throws {
    func requireError(_ what: String, _ body: () throws -> Void) throws {
      do { try body() } catch is FlowError { return }
      throw fail(.boundary, "\(what) was accepted")
    }
    let x = specimen.inputs
    for mapping in [specimen.forward, specimen.inverse] {
      let wide = Tensor.zeros(mapping.domain.shape.replacing(-1, by: mapping.domain.shape[-1] + 1).batched(2))
      try requireError("a wrong width") { _ = try mapping(specimen.params, wide, given: specimen.context) }
      try requireError("a wrong dtype") {
        _ = try mapping(specimen.params, x.cast(to: .float64), given: specimen.context)
      }
      let context = specimen.context == nil ? Tensor.zeros([x.rows, 1]) : nil
      try requireError(specimen.context == nil ? "an unexpected context" : "a missing context") {
        _ = try mapping(specimen.params, x, given: context)
      }
      try requireError("a foreign parameter tree") {
        _ = try mapping(["foreign": .leaf(Tensor(0))], x, given: specimen.context)
      }
    }
    try requireError("inputDim 0") { _ = try bijection(key, inputDim: 0, contextDim: contextDim) }
  }
}
