import Flows

/// A task of the benchmark of simulation-based inference: a prior, a simulator, observed data, and draws of
/// the true posterior.
///
/// Lueckmann, Boelts, Greenberg, Gonçalves & Macke 2021, *Benchmarking simulation-based inference*, arXiv
/// 2101.04653, appendix T. The observed data are the benchmark's own numbers 1 to 3 of each task.
public struct SimulationTask: Sendable {
  /// The name.
  public let name: String
  /// The prior.
  public let prior: SimulationPrior
  /// The observed data, one row each.
  public let observations: [Tensor]
  /// Draws a row of data per row of parameters.
  public let simulate: @Sendable (_ key: Key, _ parameters: Tensor) throws -> Tensor
  /// Draws from the true posterior.
  public let reference: @Sendable (_ key: Key, _ observed: Tensor, _ count: Int) throws -> Tensor

  /// The task of a name, `two-moons` or `slcp`.
  public static func named(_ name: String) throws -> SimulationTask {
    name == "slcp" ? try slcp() : try twoMoons()
  }
}

// MARK: - Two moons

extension SimulationTask {
  /// Two moons: a posterior of two crescents, T.8 of the benchmark; Greenberg et al. 2019, arXiv 1905.07488.
  ///
  /// x = p + (−|θ₁ + θ₂|, θ₂ − θ₁) / √2 with p = (r cos α + ¼, r sin α), α uniform on (−π/2, π/2), r ~ N(0.1,
  /// 0.01²), and θ uniform on (−1, 1)².
  ///
  /// The map from (p, sign of θ₁ + θ₂) to θ has a constant slope at given x. So the true posterior is that of
  /// θ from draws of p and a fair sign, kept where p₁ ≥ x₁ and θ lies in the box.
  public static func twoMoons() throws -> SimulationTask {
    SimulationTask(
      name: "two-moons", prior: try .uniform(from: [-1, -1], to: [1, 1]),
      observations: [
        Tensor([[-0.6396706, 0.16234657]]), Tensor([[-0.5676688, -0.33194834]]),
        Tensor([[0.0030109584, -0.6457662]]),
      ],
      simulate: { key, theta in
        let (a, b) = (theta.sliced(axis: 1, 0..<1), theta.sliced(axis: 1, 1..<2))
        let shift = concatenate(-abs(a + b), b - a, axis: 1) * 0.5.squareRoot()
        return crescent(key, count: theta.rows).cast(to: theta.dtype) + shift
      },
      reference: { key, observed, count in
        var (kept, found, attempt): ([Tensor], Int, Int) = ([], 0, 0)
        while found < count {
          let key = key.folded(in: attempt)
          let p = crescent(key.folded(in: 0), count: 2 * count)
          let difference = (p - observed.cast(to: .float64)) * 2.0.squareRoot()
          let sign = 2 * key.folded(in: 1).bernoulli([2 * count, 1], probability: 0.5).cast(to: .float64) - 1
          let sum = difference.sliced(axis: 1, 0..<1)  // |θ₁ + θ₂|
          let gap = -difference.sliced(axis: 1, 1..<2)  // θ₂ − θ₁
          let theta = concatenate(sign * sum - gap, sign * sum + gap, axis: 1) / 2
          let isKept = (sum .>= 0).reshaped(to: [2 * count]) * (abs(theta).max(axis: 1) .< 1)
          let flags = isKept.doubles
          let rows = flags.indices.filter { flags[$0] > 0 }.prefix(count - found)
          kept.append(theta.rows(Array(rows)))
          (found, attempt) = (found + rows.count, attempt + 1)
        }
        return concatenate(kept, axis: 0)
      })
  }

  /// Points p of a half circle of radius 0.1 around (¼, 0).
  private static func crescent(_ key: Key, count: Int) -> Tensor {
    let angle = Double.pi * (key.folded(in: 0).uniform([count], dtype: .float64) - 0.5)
    let radius = 0.1 + 0.01 * key.folded(in: 1).normal([count], dtype: .float64)
    return stack([radius * cos(angle) + 0.25, radius * sin(angle)], axis: 1)
  }
}

// MARK: - SLCP

extension SimulationTask {
  /// SLCP, a simple likelihood with a complex posterior: T.3 of the benchmark; Papamakarios et al. 2019,
  /// arXiv 1805.07226.
  ///
  /// The data are four points of N(m, S) in the plane with m = (θ₁, θ₂), deviations s₁ = θ₃² and s₂ = θ₄²,
  /// and the correlation tanh θ₅; θ is uniform on (−3, 3)⁵.
  ///
  /// The likelihood depends on |θ₃| and |θ₄|. So chains draw these, and fair signs give the four modes.
  public static func slcp() throws -> SimulationTask {
    let folded = try SimulationPrior.uniform(from: [-3, -3, 0, 0, -3], to: [3, 3, 3, 3, 3])
    return SimulationTask(
      name: "slcp",
      prior: try .uniform(from: [-3, -3, -3, -3, -3], to: [3, 3, 3, 3, 3]),
      observations: [
        Tensor([
          [2.3718784, 0.49947417, 9.931435, 1.7136912, -10.436423, -1.9067793, -1.2343777, -0.09735]
        ]),
        Tensor([
          [-0.66452104, -2.9279308, -16.49147, 4.06107, 4.232153, -4.652277, -4.9924355, -1.5655216]
        ]),
        Tensor([[3.5023372, 5.254722, 8.685451, 9.995327, 0.40782332, -5.7111573, 10.605566, 12.695774]]),
      ],
      simulate: { key, theta in
        let noise = key.normal([theta.rows, 8], dtype: theta.dtype)
        let column = { theta.sliced(axis: 1, $0..<$0 + 1) }
        let (s1, s2, rho) = (square(column(2)), square(column(3)), tanh(column(4)))
        let points = (0..<4).flatMap { i in
          let (u, v) = (
            noise.sliced(axis: 1, 2 * i..<2 * i + 1), noise.sliced(axis: 1, 2 * i + 1..<2 * i + 2)
          )
          return [column(0) + s1 * u, column(1) + s2 * (rho * u + sqrt(1 - square(rho)) * v)]
        }
        return concatenate(points, axis: 1)
      },
      reference: { key, observed, count in
        let draws = try EnsembleSlice(sweeps: 500, mostSweeps: 40_000, largestRHat: 1.01)(
          key.folded(in: 0), prior: folded, count: count
        ) { slcpLogLikelihood($0, observed) }
        let signs = 2 * key.folded(in: 1).bernoulli([count, 2], probability: 0.5).cast(to: .float32) - 1
        let theta = draws.parameters
        return concatenate(
          [theta.sliced(axis: 1, 0..<2), signs * theta.sliced(axis: 1, 2..<4), theta.sliced(axis: 1, 4..<5)],
          axis: 1
        ).cast(to: .float64)
      })
  }

  /// Σ log N(xᵢ; m, S) over the four points of SLCP, one number per row of parameters.
  public static func slcpLogLikelihood(_ theta: Tensor, _ observed: Tensor) -> Tensor {
    let (theta, x) = (theta.cast(to: .float64), observed.cast(to: .float64))
    let column = { theta.sliced(axis: 1, $0..<$0 + 1) }
    let (s1, s2) = (square(column(2)), square(column(3)))
    // 1 − tanh² t = 4 e^{−2|t|} / (1 + e^{−2|t|})².
    let (rho, decay) = (tanh(column(4)), exp(-2 * abs(column(4))))
    let rest = 4 * decay / square(1 + decay)
    let u = (x.gathered(Tensor(ints: [0, 2, 4, 6])) - column(0)) / s1
    let v = (x.gathered(Tensor(ints: [1, 3, 5, 7])) - column(1)) / s2
    let misfit = (square(u) - 2 * rho * u * v + square(v)) / rest
    let constant = 4 * 1.8378770664093453  // 4 log 2π
    return -0.5 * misfit.sumPerRow() - (4 * (log(s1) + log(s2)) + 2 * log(rest)).sumPerRow() - constant
  }
}
