import Networks
import Tensors

/// An invertible recurrent inference machine for measurements d = A η + noise: a loop of misfit gradients and
/// couplings.
///
/// Map: `iterations` times, on (η, s): s gains the normalized gradient g of ½ |A η − d|² (`MisfitGradient`).
/// Then a coupling between rotations (`IRIM`), one per iteration, maps (η, s) without d.
///
/// log|det J| = 0. Inverse: the same steps backwards. Cost: a network and two products with A per
/// iteration, both ways.
///
/// ```swift
/// let loop = IRIMLoop(matrix)
/// let (params, forward, _) = try loop(Key(0), inputDim: loop.stateDim, contextDim: loop.measurementDim)
/// let estimate = loop.estimate(try forward(params, loop.start(rows: d.rows), given: d).outputs)
/// ```
///
/// Train it by the squared error of the estimate. The couplings' networks start at zero, so the loop first
/// returns the estimate that it is given.
///
/// Parameters: those of a chain, `0`, `1`, ...: a `MisfitGradient` and an `IRIM` per iteration. Domain: all
/// reals. Errors: those of `MisfitGradient`.
///
/// Putzky & Welling 2019, *Invert to learn to invert*, arXiv 1911.10914, section 3; NetworkLoop of
/// InvertibleNetworks.jl.
public struct IRIMLoop: ComposedBijection {
  /// The matrix A [m, n] of the measurements.
  public let matrix: Tensor
  /// The size of the memory.
  public let memory: Int
  /// The number of evaluations of the misfit.
  public let iterations: Int
  public let composed: any Bijection

  /// Makes a loop for measurements by a matrix [m, n]. In `Reversible` its gradient keeps no activations.
  ///
  /// - Precondition: `matrix` has two axes, there is at least one iteration, and the memory (by default n) is
  ///   at least n.
  public init(
    _ matrix: Tensor, iterations: Int = 8, memory: Int? = nil, hidden: [Int] = [64, 64], reflections: Int = 3
  ) {
    require(matrix.rank == 2, "IRIMLoop: a matrix, got \(matrix.shape)")
    let unknowns = matrix.shape[1]
    require(
      iterations > 0 && memory ?? unknowns >= unknowns,
      "IRIMLoop: an iteration and a memory of \(unknowns) numbers or more")
    (self.matrix, self.memory, self.iterations) = (matrix, memory ?? unknowns, iterations)
    let coupling = Conditioned(IRIM(MLP(hidden: hidden), reflections: reflections), by: NoContext())
    composed = Serial(
      (0..<iterations).flatMap { _ -> [any Bijection] in [MisfitGradient(matrix), coupling] })
  }

  /// A state's shape: the estimate, then the memory.
  public var stateDim: Shape { [matrix.shape[1] + memory] }
  /// A measurement's shape.
  public var measurementDim: Shape { [matrix.shape[0]] }

  /// States of zeros, the start if no better estimate is known.
  public func start(rows: Int, dtype: DType = .float32) -> Tensor {
    .zeros(stateDim.batched(rows), dtype: dtype)
  }
  /// The estimates in a batch of states.
  public func estimate(_ states: Tensor) -> Tensor { states.sliced(axis: 1, 0..<matrix.shape[1]) }
}
