/// A histogram as a density: the centres and heights of 40 bins, each a fifth of the standard deviation wide.
func histogram(_ values: [Double]) -> (x: [Double], density: [Double]) {
  let count = Double(values.count)
  let mean = values.reduce(0, +) / count
  let deviation = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count).squareRoot()
  let (bins, width) = (40, deviation / 5)
  var heights = [Double](repeating: 0, count: bins)
  for value in values {
    let bin = ((value - mean) / width + Double(bins) / 2).rounded(.down)
    if (0..<Double(bins)).contains(bin) { heights[Int(bin)] += 1 / (count * width) }
  }
  return (heights.indices.map { mean + (Double($0) + 0.5 - Double(bins) / 2) * width }, heights)
}
