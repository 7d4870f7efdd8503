import StableHLO
import Tensors
import Testing

/// Programs of small functions, and the reasons for functions without one.
@Suite struct StableHLOProgramTests {
  private func program(
    of shapes: Shape..., dtype: DType = .float32, _ f: ([Tensor]) throws -> [Tensor]
  ) throws -> StableHLOProgram {
    try StableHLOProgram("test", of: shapes.map { .init($0, dtype) }, f)
  }

  /// The operations of a program, in order.
  private func operations(_ program: StableHLOProgram) -> [String] {
    program.text.matches(of: /= "stablehlo\.(\w+)"/).map { String($0.1) }
  }

  /// The whole text, which jaxlib 0.10.2 compiles.
  @Test func text() throws {
    let program = try program(of: [2, 3], [3]) { [exp($0[0] + $0[1])] }
    #expect(
      program.text == """
        module @test {
          func.func public @main(%arg0: tensor<2x3xf32>, %arg1: tensor<3xf32>) -> (tensor<2x3xf32>) {
            %v0 = "stablehlo.broadcast_in_dim"(%arg1) <{broadcast_dimensions = array<i64: 1>}> : \
        (tensor<3xf32>) -> tensor<2x3xf32>
            %v1 = "stablehlo.add"(%arg0, %v0) : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
            %v2 = "stablehlo.exponential"(%v1) : (tensor<2x3xf32>) -> tensor<2x3xf32>
            func.return %v2 : tensor<2x3xf32>
          }
        }

        """)
    #expect(program.arguments == [.init([2, 3], .float32), .init([3], .float32)])
    #expect(program.results == [.init([2, 3], .float32)])
  }

  @Test func productsAreExact() throws {
    let program = try program(of: [4, 5], [5, 2]) { [matmul($0[0], $0[1])] }
    #expect(program.text.contains("#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>"))
  }

  /// Captured tensors are constants, to the bit; equal ones and equal operations occur once.
  @Test func constants() throws {
    let (a, b) = (Tensor([1, -2.5]), Tensor([1, -2.5]))
    let program = try program(of: [2]) { [$0[0] * a + $0[0] * b, 3 * $0[0] + 3 * $0[0]] }
    #expect(operations(program) == ["multiply", "add", "broadcast_in_dim", "multiply", "add"])
    #expect(program.text.ranges(of: "stablehlo.constant").count == 2)
    #expect(program.text.contains("dense<\"0x0000803F000020C0\"> : tensor<2xf32>"))
    #expect(program.text.contains("dense<0x40400000> : tensor<f32>"))
  }

  /// Operations that no result needs are left out.
  @Test func deadOperations() throws {
    let program = try program(of: [2]) { inputs in
      _ = exp(inputs[0])
      return [-inputs[0]]
    }
    #expect(operations(program) == ["negate"])
  }

  /// Derivatives of all orders are operations like others.
  @Test func derivatives() throws {
    let program = try program(of: [3]) { inputs in
      [gradient(at: inputs[0]) { x in gradient(at: x) { ($0 * $0 * $0).sum() }.sum() }]
    }
    #expect(program.results == [.init([3], .float32)] && operations(program).contains("multiply"))
    let forward = try self.program(of: [3], [3]) { inputs in
      [jvp(at: inputs[0], along: inputs[1]) { sin($0) }.tangent]
    }
    #expect(operations(forward).contains("cosine"))
  }

  @Test func dtypes() throws {
    let program = try program(of: [2], dtype: .float64) {
      [$0[0].cast(to: .float32), $0[0].cast(to: .float64)]
    }
    #expect(program.results == [.init([2], .float32), .init([2], .float64)])
  }

  struct Other: Primitive {
    func value(_ inputs: Operands) -> Operands { inputs }
    func tangent(_ tangents: Operands, _ inputs: Operands, _ outputs: Operands) -> Operands { tangents }
    func cotangent(
      _ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted
    ) -> Operands { g }
  }

  /// A function without a program is refused with the reason. It does not stop the process.
  @Test(arguments: [
    ("numbers", "depends on the numbers"), ("item", "depends on the numbers"),
    ("primitive", "Other has no form in StableHLO"), ("qr", "QR has no form"),
  ]) func refusals(_ what: String, _ reason: String) {
    let error = #expect(throws: FlowError.self) {
      try program(of: [3, 3]) { inputs in
        switch what {
        case "numbers": inputs[0].isFinite ? [inputs[0]] : []
        case "item": [inputs[0] * inputs[0].sum().item]
        case "primitive": [Other()(inputs[0])]
        default: [qr(inputs[0]).q]
        }
      }
    }
    #expect(error?.description.contains(reason) == true, "\(error as Any)")
  }

  @Test func errorsPassThrough() {
    #expect(throws: CancellationError.self) { try program(of: [1]) { _ in throw CancellationError() } }
  }

  /// A loop runs once in the text, and takes the values around it along.
  @Test func loops() throws {
    let program = try StableHLOProgram(tracing: "loop", of: [.init([2], .float32), .init([2], .float32)]) {
      graph, inputs in
      graph.loop(7, [inputs[0]]) { i, state in [state[0] * inputs[1] + i] }
    }
    #expect(operations(program).filter { $0 == "while" }.count == 1)
    #expect(program.text.contains("(tensor<i32>, tensor<2xf32>, tensor<2xf32>)"))
    #expect(program.results == [.init([2], .float32)])
  }
}
