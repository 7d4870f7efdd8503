import Flows
import Testing

/// The code of the article FromNumPy, to the letter.
// swift-format-ignore
func fromNumPy() -> (
  lastRows: Tensor, scaled: Tensor, kept: Tensor, total: Tensor, noise: Tensor, slope: Tensor
) {
  // block 1
  let a: Tensor = [[1, 2], [3, 4], [5, 6]]           // a = jnp.array([[1., 2.], [3., 4.], [5., 6.]])
  let column = a[0..., 1]                            // a[:, 1]
  let lastRows = a[1..., 0...]                       // a[1:, :]
  let scaled = (a - a.mean(axis: 0)) / a.standardDeviation(axis: 0)
  let kept = select(where: a .> 2, a, 0)             // jnp.where(a > 2, a, 0)
  let total = matmul(a.transposed(), a).sum()        // (a.T @ a).sum()
  print(column.doubles, total)                       // [2.0, 4.0, 6.0] 179.0

  let noise = Key(0).normal([3, 2])                  // jax.random.normal(jax.random.key(0), (3, 2))
  let slope = gradient(at: a) { exp(-square($0)).sum() }        // jax.grad(lambda x: ...)(a)
  // end
  return (lastRows, scaled, kept, total, noise, slope)
}

/// The tables of the article, with the values that NumPy 2 and JAX 0.10 give.
@Suite struct FromNumPyTests {
  @Test func theFirstBlock() {
    let own = fromNumPy()
    #expect(own.lastRows.doubles == [3, 4, 5, 6] && own.kept.doubles == [0, 0, 3, 4, 5, 6])
    #expect("\(own.total)" == "179.0")
    expect(own.scaled, [-1.2247449, -1.2247449, 0, 0, 1.2247449, 1.2247449])
    expect(own.noise, [1.6226422, 2.0252647, -0.43359444, -0.078617349, 0.1760909, -0.97208923])
    expect(own.slope, [-0.7357589, -0.07326256, -0.00074045885, -9.0028139e-07, -1.3887943e-10, -2.7834e-15])
  }

  @Test func theTables() {
    let x = Tensor((0..<12).map { Double($0 * $0 % 7) }, shape: [4, 3])
    expect(x[0..., -1], x.gathered(Tensor(ints: [2])).doubles)
    expect(x.sliced(axis: 0, 0..<x.rows, step: 2), x.rows([0, 2]).doubles)
    expect(
      x.expanded(axis: 1).permuted(axes: [2, 0, 1]).flipped(axis: 0), [4, 4, 1, 2, 1, 2, 0, 2, 0, 2, 1, 4])
    expect(minimum(maximum(x, 1), 3), [1, 1, 3, 2, 2, 3, 1, 1, 1, 3, 2, 2])
    expect(x.logSumExp(axis: -1), [4.0658839, 4.2395448, 1.8619948, 4.2395448])
    expect(x.cumulativeSum(axis: 0)[-1], x.sum(axis: 0).doubles)
    expect(x.max(axis: 0) - x.min(axis: 0), [4, 2, 3])
    expect(x.standardDeviation(axis: 0), [1.4790199, 0.8291562, 1.2990381])
  }

  private func expect(_ values: Tensor, _ right: [Double]) {
    #expect(values.count == right.count)
    for (a, b) in zip(values.doubles, right) { #expect(abs(a - b) <= 1e-6 * max(1, abs(b))) }
  }
}
