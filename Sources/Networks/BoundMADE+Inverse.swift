import Tensors

extension BoundMADE {
  /// Numbers one after the other, [rows, D]: `next` gives the i-th one, [rows, 1], from its outputs [rows, count], which the
  /// numbers before it and the context settle.
  ///
  /// With values in memory a unit is computed once, when all that it sees is known: the arithmetic of one pass in all.
  /// Under a transformation it takes D passes, which record what derivatives need.
  package func unrolled(
    rows: Int, count: Int, context: Tensor?, dtype: DType, _ next: (_ i: Int, _ outputs: Tensor) -> Tensor
  ) -> Tensor {
    let numbers = degrees[layers.count].count / count
    let probe = [context].compactMap { $0 } + layers.flatMap { [$0.weight, $0.bias] }
    var x = Tensor.zeros([rows, 0], dtype: dtype)
    var settling = probe.allSatisfy(\.isConcrete) ? SettlingMADE(self, context, rows, dtype) : nil
    for i in 0..<numbers {
      if let outputs = settling?.outputs(i, count: count) {
        let number = next(i, outputs)
        if number.isConcrete {
          settling?.append(number)
        } else {
          settling = nil
        }
        x = concatenate(x, number, axis: 1)
        continue
      }
      // What is not known yet has no weight in these outputs; zeros stand for it.
      let unknown = Tensor.zeros([rows, max(numbers - 1 - i, 0)], dtype: dtype)
      let outputs = self(concatenate(x, unknown, axis: 1).sliced(axis: 1, 0..<numbers - 1), context)
      x = concatenate([x, next(i, outputs.sliced(axis: 1, i * count..<(i + 1) * count))], axis: 1)
    }
    return x
  }
}

/// The units of a masked network that the numbers known so far settle.
private struct SettlingMADE {
  private let network: BoundMADE
  private var inputs: Units
  /// What layer i > 0 reads: hidden units, after the activation where the layer sees them so.
  private var hidden: [Units]
  /// Nil where degrees do not rise.
  init?(_ network: BoundMADE, _ context: Tensor?, _ rows: Int, _ dtype: DType) {
    if network.layers.contains(where: { $0.stairs == nil }) { return nil }
    self.network = network
    inputs = Units(network.degrees[0].count + 1, rows: rows, dtype: dtype)
    hidden = network.degrees.dropFirst().dropLast().map { Units($0.count, rows: rows, dtype: dtype) }
    if let context { inputs.append(context.transposed()) }
  }

  /// The next number, [rows, 1].
  mutating func append(_ number: Tensor) { inputs.append(number.reshaped(to: [1, number.rows])) }

  /// The outputs [rows, count] for number i, when those before it are known.
  mutating func outputs(_ i: Int, count: Int) -> Tensor {
    if network.isResidual {
      settleBlocks(settled(0, by: i))
    } else {
      for layer in hidden.indices {
        hidden[layer].append(dense(layer, settled(layer, by: i), network.activation))
      }
    }
    return dense(hidden.count, i * count..<(i + 1) * count, .identity).transposed()
  }

  /// The units of a hidden layer that number i settles, and none before it.
  private func settled(_ layer: Int, by i: Int) -> Range<Int> {
    let (degrees, known) = (network.degrees[layer + 1], hidden[layer].known)
    return known..<(degrees[known...].firstIndex { $0 > Double(i) } ?? degrees.count)
  }

  private mutating func settleBlocks(_ units: Range<Int>) {
    var sum = dense(0, units, .identity)
    for i in stride(from: 1, to: hidden.count, by: 2) {
      hidden[i - 1].append(network.activation(sum))
      hidden[i].append(dense(i, units, network.activation))
      sum = sum + dense(i + 1, units, .identity)
    }
    hidden[hidden.count - 1].append(sum)
  }

  private func dense(_ layer: Int, _ outputs: Range<Int>, _ activation: Activation) -> Tensor {
    let (from, weights) = (layer == 0 ? inputs : hidden[layer - 1], network.layers[layer])
    let y = from.dense(from.known, weights.weight, weights.bias, activation.epilogue, outputs: outputs)
    return activation.rest?(y) ?? y
  }
}
