import Foundation
import Randomness
import Tensors

/// What `Tests/Fixtures/make_random.py` wrote: draws of `jax.random`.
struct Fixture: Decodable {
  let keys: [Seeded]
  let blocks: [Block]
  let children: [Children]
  let bits: [Bits]
  let uniforms: [Draw]
  let normals: [Draw]
  let transformed: [Draw]
  let truncatedNormals: [Draw]
  let normalSections: [Draw]
  let integers: [Integers]
  let permutations: [Permutation]
  let choices: [Permutation]
  let categoricals: [Categorical]
  let bernoullis: [Bernoulli]

  static let shared: Fixture = {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/random.json")
    do {
      return try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: file))
    } catch {
      fatalError("\(file.path): \(error)")
    }
  }()

  struct Seeded: Decodable {
    let seed: String
    let words: [UInt32]
  }

  struct Block: Decodable {
    let key: [UInt32]
    let counter: Pattern
    let words: [UInt32]
  }

  struct Children: Decodable {
    let seed: Int
    let split: [[UInt32]]
    let split2: [[UInt32]]
    let folds: [Fold]
    let grandchild: [UInt32]

    struct Fold: Decodable {
      let data: Int
      let words: [UInt32]
    }
  }

  struct Bits: Decodable {
    let seed: Int
    let shape: [Int]
    let bits32: [UInt32]
    let bits64: [Pattern]
  }

  /// Elements of a draw of real numbers: the first `head` (all, if absent), then those at `indices`.
  struct Draw: Decodable, CustomStringConvertible {
    let distribution: String?
    let seed: Int
    let shape: [Int]
    let dtype: String?
    let low: Double?
    let high: Double?
    let head: Int?
    let indices: [Int]?
    let patterns: [Pattern]?
    let xor: Pattern?

    var description: String {
      "\(distribution ?? "") \(shape) \(type) seed \(seed) \(low as Any)..<\(high as Any)"
    }
    var type: DType { dtype == "float32" ? .float32 : .float64 }
    var range: Range<Double> { (low ?? -.infinity)..<(high ?? .infinity) }
    var expected: [Double] { (patterns ?? []).map { type == .float32 ? $0.float : $0.double } }

    /// The elements of a tensor that the fixture has.
    func chosen(from tensor: Tensor) -> [Double] {
      let values = tensor.doubles
      guard let head, let indices else { return values }
      return values[0..<head] + indices.map { values[$0] }
    }
  }

  struct Integers: Decodable {
    let seed: Int
    let shape: [Int]
    let low: Int
    let high: Int
    let values: [Int]
  }

  struct Permutation: Decodable {
    let seed: Int
    let n: Int
    let count: Int?
    let values: [Int]
    let checksum: Int?
  }

  struct Categorical: Decodable {
    let seed: Int
    let dtype: String
    let logitsShape: [Int]
    let logits: [Pattern]
    let count: Int?
    let shape: [Int]
    let values: [Int]
  }

  struct Bernoulli: Decodable {
    let seed: Int
    let dtype: String
    let p: Double
    let shape: [Int]
    let values: [Int]
  }
}

/// The bits of a number: an unsigned integer for 32 of them, hexadecimal digits for 64.
struct Pattern: Decodable {
  let bits: UInt64

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let word = try? container.decode(UInt32.self) {
      bits = UInt64(word)
    } else {
      let digits = try container.decode(String.self)
      guard let word = UInt64(digits, radix: 16) else {
        throw DecodingError.dataCorruptedError(in: container, debugDescription: "not hexadecimal: \(digits)")
      }
      bits = word
    }
  }

  var float: Double { Double(Float(bitPattern: UInt32(bits))) }
  var double: Double { Double(bitPattern: bits) }
}

extension Tensor {
  /// The bit pattern of each element.
  var patterns: [UInt64] {
    dtype == .float32 ? floats.map { UInt64($0.bitPattern) } : doubles.map(\.bitPattern)
  }
}

extension DType {
  init(named name: String) { self = name == "float32" ? .float32 : .float64 }
}

extension Key {
  var words: [UInt32] { [high, low] }
}

/// How many numbers of a type lie between two of them.
func ulpDistance(_ a: Double, _ b: Double, _ dtype: DType) -> Int {
  func rank(_ x: Double) -> Int {
    let magnitude = dtype == .float32 ? Int(Float(x).magnitude.bitPattern) : Int(x.magnitude.bitPattern)
    return x < 0 ? -magnitude : magnitude
  }
  return abs(rank(a) - rank(b))
}
