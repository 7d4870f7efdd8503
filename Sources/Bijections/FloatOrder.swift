import Tensors

/// The floats of a dtype as whole numbers in the same order. Adjacent floats have adjacent numbers.
struct FloatOrder {
  let dtype: DType
  private var isSingle: Bool { dtype == .float32 }

  /// The order of the floats of a dtype.
  init(_ dtype: DType) { self.dtype = dtype }

  /// The distance from 1 to the next float.
  var epsilon: Double { isSingle ? Double(Float.ulpOfOne) : Double.ulpOfOne }

  /// The number of steps from one float to another.
  func distance(_ a: Double, _ b: Double) -> UInt64 {
    let (a, b) = (rank(a), rank(b))
    return a < b ? UInt64(bitPattern: b &- a) : UInt64(bitPattern: a &- b)
  }

  /// The float in the middle of two.
  func middle(_ a: Double, _ b: Double) -> Double {
    let (a, b) = (rank(a), rank(b))
    return float((a >> 1) + (b >> 1) + (a & b & 1))
  }

  /// The float that is some steps away. Steps beyond infinity stay there.
  func moved(_ x: Double, by steps: Int64) -> Double {
    let (sum, isTooFar) = rank(x).addingReportingOverflow(steps)
    let most = rank(.infinity)
    return float(isTooFar ? (steps > 0 ? most : -most) : min(max(sum, -most), most))
  }

  private func rank(_ x: Double) -> Int64 {
    if isSingle {
      let bits = Int64(Int32(bitPattern: Float(x).bitPattern))
      return bits < 0 ? Int64(Int32.min) - bits : bits
    }
    let bits = Int64(bitPattern: x.bitPattern)
    return bits < 0 ? Int64.min &- bits : bits
  }

  private func float(_ rank: Int64) -> Double {
    let magnitude =
      isSingle
      ? Double(Float(bitPattern: UInt32(rank.magnitude))) : Double(bitPattern: rank.magnitude)
    return rank < 0 ? -magnitude : magnitude
  }
}
