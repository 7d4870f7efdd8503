import Networks
import Tensors

/// An invertible recurrent inference machine for measurements d = A η + noise: a loop of misfit gradients and couplings.
///
/// Map: `iterations` times, on (η, s): s gains the normalized gradient g of ½ |A η − d|² (`MisfitGradient`), then (η, s) goes
/// through a coupling of its own between rotations (`IRIM`), which does not see d.
///
/// log|det J| = 0. Inverse: the same steps backwards. Cost: a network and two products with A an iteration, both ways.
///
/// ```swift
/// let loop = IRIMLoop(matrix)
/// let (params, forward, _) = try loop(Key(0), inputDim: loop.stateDim, contextDim: loop.measurementDim)
/// let estimate = loop.estimate(try forward(params, loop.start(rows: d.rows), given: d).outputs)
/// ```
///
/// Train it by the squared error of the estimate. The couplings' networks start at zero, and the loop with the estimate it is
/// given.
///
/// Parameters: those of a chain, `0`, `1`, ...: a `MisfitGradient` and an `IRIM` an iteration. Domain: all reals. Errors: those
/// of `MisfitGradient`.
///
/// Putzky & Welling 2019, *Invert to learn to invert*, arXiv 1911.10914, section 3; NetworkLoop of InvertibleNetworks.jl.
public struct IRIMLoop: ComposedBijection {
  /// A [m, n].
  public let matrix: Tensor
  /// The numbers of memory beside the estimate.
  public let memory: Int
  /// How often the misfit is looked at.
  public let iterations: Int
  public let composed: any Bijection

  /// A loop for measurements by a matrix [m, n]. In `Reversible` its gradient keeps no activations.
  ///
  /// - Precondition: a matrix; at least one iteration; a memory, n by default, of at least n numbers.
  public init(
    _ matrix: Tensor, iterations: Int = 8, memory: Int? = nil, hidden: [Int] = [64, 64], reflections: Int = 3
  ) {
    require(matrix.rank == 2, "IRIMLoop: a matrix, got \(matrix.shape)")
    let unknowns = matrix.shape[1]
    require(
      iterations > 0 && memory ?? unknowns >= unknowns,
      "IRIMLoop: an iteration and a memory of \(unknowns) numbers or more")
    self.matrix = matrix
    self.memory = memory ?? unknowns
    self.iterations = iterations
    let steps = (0..<iterations).flatMap { _ -> [any Bijection] in
      [
        MisfitGradient(matrix),
        Conditioned(IRIM(MLP(hidden: hidden), reflections: reflections), by: NoContext()),
      ]
    }
    composed = Serial(steps)
  }

  /// A state's shape: the estimate, then the memory.
  public var stateDim: Shape { [matrix.shape[1] + memory] }
  /// A measurement's shape.
  public var measurementDim: Shape { [matrix.shape[0]] }

  /// Zeros: what to start from where no better estimate is at hand.
  public func start(rows: Int, dtype: DType = .float32) -> Tensor {
    .zeros(stateDim.batched(rows), dtype: dtype)
  }
  /// The estimates within states.
  public func estimate(_ states: Tensor) -> Tensor { states.sliced(axis: 1, 0..<matrix.shape[1]) }
}
