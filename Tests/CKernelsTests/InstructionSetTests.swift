import CKernels
import Testing

/// Every function gives the same bits on every instruction set this machine has, at odd lengths and on any
/// bits at all.
@Suite(.serialized) struct InstructionSetTests {
  /// `body`'s bits on each instruction set.
  private func same(_ name: String, _ body: () -> [UInt64]) {
    var first: [UInt64]?
    for set in instructionSets {
      #expect(ck_use_instruction_set(set) && String(cString: ck_instruction_set()) == set)
      let found = body()
      #expect(found == first ?? found, "\(name) differs on \(set)")
      first = first ?? found
    }
    _ = ck_use_instruction_set(instructionSets[0])
  }

  @Test func names() {
    #expect(instructionSets.contains("baseline"))
    #expect(!ck_use_instruction_set("v9"))
  }

  @Test func elementwise() {
    functions(Float.self)
    functions(Double.self)
  }

  private func functions<T: Element>(_: T.Type) {
    var generator = Generator()
    for n in [1, 7, 16, 37, 400] {
      let a = T.arbitrary(n, &generator) + T.random(n, &generator).map { $0 * 20 }
      let b = T.arbitrary(n, &generator) + T.random(n, &generator).map { $0 * 4 }
      for f in CK_NEGATE.rawValue...CK_SIGMOID_SLOPE.rawValue {
        same("unary \(f) \(T.self)") { bits(T.unary(ck_function(rawValue: f), a)) }
      }
      for f in [CK_TANH, CK_SIGMOID, CK_EXPM1, CK_GELU] {
        let y = T.unary(f, a)
        same("chain \(f) \(T.self)") { bits(T.chain(f, b, a, y)) }
      }
      for f in CK_ADD.rawValue...CK_D_ABS.rawValue {
        same("binary \(f) \(T.self)") { bits(T.binary(ck_operation(rawValue: f), a, b)) }
        same("binary \(f) \(T.self) of one") { bits(T.binary(ck_operation(rawValue: f), a, [b[0]])) }
      }
    }
  }

  /// An element's result does not depend on where in the array it is.
  @Test func position() {
    var generator = Generator()
    let x = generator.floats(50).map { $0 * 10 }
    for f in CK_NEGATE.rawValue...CK_SIGMOID_SLOPE.rawValue {
      let whole = Float.unary(ck_function(rawValue: f), x)
      for start in [1, 3, 47] {
        #expect(
          bits(Float.unary(ck_function(rawValue: f), Array(x[start...]))) == bits(Array(whole[start...])))
      }
    }
  }

  @Test func products() {
    multiply(Float.self)
    multiply(Double.self)
  }

  private func multiply<T: Element>(_: T.Type) {
    var generator = Generator()
    for (m, n, k) in [(5, 7, 9), (20, 33, 17), (64, 2, 30), (1, 40, 20), (33, 70, 3), (17, 16, 270)] {
      let a = T.random(m * k, &generator), b = T.random(k * n, &generator), bias = T.random(n, &generator)
      for (aT, bT) in [(false, false), (true, false), (false, true), (true, true)] {
        for f in [CK_RELU_EPILOGUE, CK_TANH_EPILOGUE] {
          same("gemm \(f) \(T.self)") { bits(T.gemm(aT, bT, m, n, k, a, b, bias, f)) }
        }
      }
    }
  }

  @Test func transformers() {
    attend(Float.self)
    attend(Double.self)
  }

  private func attend<T: Element>(_: T.Type) {
    var generator = Generator()
    for (tokens, heads, width) in [(1, 1, 3), (7, 2, 16), (17, 1, 20), (40, 3, 33)] {
      let (rows, n) = (3, heads * width)
      let (qkv, g) = (T.random(rows * tokens * 3 * n, &generator), T.random(rows * tokens * n, &generator))
      for causal in [false, true] {
        same("attention of \(tokens) \(T.self)") {
          var (y, gqkv) = (g, qkv)
          var scratch = [T](repeating: 0, count: ck_attention_scratch(T.type, tokens, width))
          var form = ck_heads(heads: heads, width: width, factor: 0.3, causal: causal)
          ck_attention(T.type, &form, rows, tokens, qkv, &y, &scratch)
          ck_attention_pullback(T.type, &form, rows, tokens, qkv, g, &gqkv, &scratch)
          return bits(y + gqkv)
        }
      }
      same("attention step \(T.self)") {
        var (cache, y) = ([T](repeating: 0, count: 16 * 2 * n * 8), [T](repeating: 0, count: rows * n))
        var scratch = [T](repeating: 0, count: 16 * (2 * n + 8))
        var form = ck_heads(heads: heads, width: width, factor: 0.3, causal: true)
        return (0..<min(tokens, 7)).flatMap { token -> [UInt64] in
          let next = Array(qkv[(token * rows * 3 * n)..<((token + 1) * rows * 3 * n)])
          ck_attention_step(T.type, &form, rows, token, 8, next, &cache, &y, &scratch)
          return bits(y)
        }
      }
      same("layer norm of \(n) \(T.self)") {
        var (y, gx, ggain, gbias) = (g, g, qkv, qkv)
        ck_layer_norm(T.type, rows * tokens, n, 1e-5, g, qkv, qkv, &y)
        ck_layer_norm_pullback(T.type, rows * tokens, n, 1e-5, y, g, qkv, &gx, &ggain, &gbias)
        return bits(y + gx + ggain[..<n] + gbias[..<n])
      }
      same("LipSwish of \(n) \(T.self)") {
        var (y, slope, gh, gbeta) = (g, g, g, g)
        ck_lip_swish(T.type, 0.7, g.count, g, &y, &slope)
        ck_lip_swish_pullback(T.type, 0.7, g.count, y, slope, g, &gh, &gbeta)
        return bits(y + slope + gh + gbeta)
      }
    }
  }

  @Test func others() {
    reductionsAndFactorizations(Float.self)
    reductionsAndFactorizations(Double.self)
    var generator = Generator()
    let words = (0..<37).map { _ in UInt32(truncatingIfNeeded: generator.bits()) }
    same("uniform") {
      var y = [Float](repeating: 0, count: 37)
      ck_uniform(CK_F32, words, 37, -1, 1.5, &y)
      return bits(y)
    }
    for secure in [false, true] {
      same("gaussians") {
        var y = [Double](repeating: 0, count: 301)
        ck_gaussians((1...8).map { UInt32($0) }, 0xffff_fff0, 9, secure, 301, &y)
        return bits(y)
      }
    }
    same("threefry") {
      var y = [UInt64](repeating: 0, count: 37)
      ck_threefry_bits64(5, 6, 0xffff_fff0, 37, &y)
      return y
    }
  }

  private func reductionsAndFactorizations<T: Element>(_: T.Type) {
    var generator = Generator()
    let x = T.random(23 * 1100, &generator)
    same("sum of rows") { bits(T.sumRows(x, 23, 1100)) }
    same("sum of columns") { bits(T.sumColumns(x, 23, 1100)) }
    same("maximum of rows") { bits(T.maxRows(x, 23, 1100)) }
    same("maximum of columns") { bits(T.maxColumns(x, 23, 1100)) }
    same("running sum") { bits(T.cumsum(x, 23, 1100, reverse: true)) }
    same("transpose") { bits(T.transpose(x, 23, 1100)) }
    let square = Array(x[..<(37 * 37)])
    same("squares by row") {
      var y = [Double](repeating: 0, count: 23)
      var scratch = [T](repeating: 0, count: 37 * T.lanes)
      ck_square_rows(T.type, x, 23, 1100, &y)
      ck_square_products(T.type, x, x.reversed(), 23, 50, 33, &y)
      ck_square_triangle(
        T.type, true, 37, x, x.reversed(), nil, nil, (0..<37).map { ($0 * 5) % 37 }, 23, &y, &scratch)
      ck_square_triangle(T.type, false, 37, x, x.reversed(), x, square, nil, 23, &y, &scratch)
      return bits(y)
    }
    let noise = square.map { Double($0) }
    same("sums with factors") {
      let sums: [T] = filled(1100) { ck_weighted_columns(T.type, square, x, 23, 1100, $0) }
      let scaled: [T] = filled(23 * 1100) { ck_scale_rows(T.type, square, x, 23, 1100, $0) }
      let noised: [T] = filled(99) { ck_add_noise(T.type, 3, 0.3, noise, x, 99, $0) }
      return bits(sums + scaled + noised)
    }
    same("lu") { bits(T.lu(37, square).lu) }
    same("qr") { bits(T.qr(37, 37, square).q) + bits(T.qr(37, 37, square).r) }
    same("solve") {
      bits(T.solve(lower: true, transposed: false, unit: true, 37, 21, square.map { $0 / 9 }, x))
    }
  }
}
