import CKernels
import Tensors

extension MaskedNetwork {
  /// Computes numbers [rows, D] one after the other.
  ///
  /// `next` returns number i, [rows, 1], from its outputs [rows, count]. These depend on earlier numbers and
  /// the context. With values in memory each unit is computed once, when all its inputs are known: this costs
  /// the arithmetic of one pass in all. Under a transformation there are D passes, which record everything
  /// that derivatives need.
  package func unrolled(
    rows: Int, count: Int, context: Tensor?, dtype: DType, _ next: (_ i: Int, _ outputs: Tensor) -> Tensor
  ) -> Tensor {
    let numbers = degrees[layers.count].count / count
    let probe = [context].compactMap { $0 } + layers.flatMap { [$0.weight, $0.bias] }
    var x = Tensor.zeros([rows, 0], dtype: dtype)
    var known = probe.allSatisfy(\.isConcrete) ? KnownUnits(self, context, rows, dtype) : nil
    for i in 0..<numbers {
      if let outputs = known?.outputs(i, count: count) {
        let number = next(i, outputs)
        if number.isConcrete { known?.append(number) } else { known = nil }
        x = concatenate(x, number, axis: 1)
        continue
      }
      // These outputs have no weights from later numbers, so zeros may stand for them.
      let later = Tensor.zeros([rows, max(numbers - 1 - i, 0)], dtype: dtype)
      let outputs = self(concatenate(x, later, axis: 1).sliced(axis: 1, 0..<numbers - 1), context)
      x = concatenate([x, next(i, outputs.sliced(axis: 1, i * count..<(i + 1) * count))], axis: 1)
    }
    return x
  }
}

/// The units of a masked network that the numbers known so far determine.
private struct KnownUnits {
  private let network: MaskedNetwork
  private var inputs: Units
  /// The input of each layer but the first, after the activation wherever the layer sees it so.
  private var hidden: [Units]

  /// Nil if the degrees of some layer do not rise.
  init?(_ network: MaskedNetwork, _ context: Tensor?, _ rows: Int, _ dtype: DType) {
    if network.layers.contains(where: { $0.stairs == nil }) { return nil }
    self.network = network
    let count = network.degrees[0].count + network.made.featureCount
    inputs = Units(count, rows: rows, dtype: dtype)
    hidden = network.degrees.dropFirst().dropLast().map { Units($0.count, rows: rows, dtype: dtype) }
    if let context { inputs.append(context.transposed()) }
  }

  /// Adds the next number, [rows, 1].
  mutating func append(_ number: Tensor) {
    let features = network.made.features(number)
    // A column is a row already, in memory.
    inputs.append(
      features.shape[1] == 1 ? features.reshaped(to: Shape(1, number.rows)) : features.transposed())
  }

  /// The outputs [rows, count] for number i, once all earlier numbers are known.
  mutating func outputs(_ i: Int, count: Int) -> Tensor {
    let activation = network.made.activation
    if network.made.isResidual {
      let units = determined(0, by: i)
      var sum = dense(0, units, .identity)
      for block in stride(from: 1, to: hidden.count, by: 2) {
        hidden[block - 1].append(activation(sum))
        hidden[block].append(dense(block, units, activation))
        sum = sum + dense(block + 1, units, .identity)
      }
      hidden[hidden.count - 1].append(sum)
    } else {
      for layer in hidden.indices {
        hidden[layer].append(dense(layer, determined(layer, by: i), activation))
      }
    }
    return dense(hidden.count, i * count..<(i + 1) * count, .identity).transposed()
  }

  /// The units of a hidden layer that number i determines, and no earlier number.
  private func determined(_ layer: Int, by i: Int) -> Range<Int> {
    let (degrees, known) = (network.degrees[layer + 1], hidden[layer].known)
    return known..<(degrees[known...].firstIndex { $0 > Double(i) } ?? degrees.count)
  }

  private func dense(_ layer: Int, _ outputs: Range<Int>, _ activation: Activation) -> Tensor {
    let (weight, bias) = (network.layers[layer].weight, network.layers[layer].bias)
    return layer == 0
      ? inputs.dense(inputs.known, weight, bias, activation, outputs: outputs)
      : hidden[layer - 1].dense(hidden[layer - 1].known, weight, bias, activation, outputs: outputs)
  }
}

/// The units of a layer for a batch, [units, rows], of which the first ones are known. Values in memory only.
struct Units {
  private let storage: Storage
  /// The number of known units.
  private(set) var known = 0

  /// Room for `count` units.
  init(_ count: Int, rows: Int, dtype: DType) { storage = Storage(shape: [count, rows], dtype: dtype) }

  /// Adds units [n, rows].
  mutating func append(_ units: Tensor) {
    let rows = storage.shape[1]
    require(
      units.shape[-1] == rows && units.dtype == storage.dtype && known + units.shape[0] <= storage.shape[0],
      "units \(units.shape) \(units.dtype) after \(known) of \(storage.shape) \(storage.dtype)")
    storage.address(known * rows).copyMemory(
      from: units.storage.address, byteCount: units.storage.byteCount)
    known += units.shape[0]
  }

  /// The known units as the columns of a matrix [rows, units].
  var matrix: Tensor { Tensor(storage)[0..<known].transposed() }

  /// f(xW + b) for some outputs, [outputs, rows], from the first `depth` units x.
  func dense(
    _ depth: Int, _ weight: Tensor, _ bias: Tensor, _ activation: Activation, outputs: Range<Int>
  ) -> Tensor {
    require(depth <= known, "\(depth) units of \(known)")
    let (rows, first) = (storage.shape[1], outputs.lowerBound)
    let (w, b) = (weight.storage, bias.storage)
    let y = Storage(shape: Shape(outputs.count, rows), dtype: storage.dtype)
    ck_dense_units(
      storage.dtype.kernel, rows, depth, outputs.count, storage.address, w.address(first), weight.shape[1],
      b.address(first), activation.fused, y.address)
    return activation.finished(Tensor(y))
  }
}
