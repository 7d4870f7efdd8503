import CKernels

extension Elementwise: Lowered {
  package func lowered(_ inputs: Operands, in graph: Graph) -> Operands {
    let x = inputs[0]
    func direct(_ name: String) -> Operands { graph.elementwise("stablehlo.\(name)", x) }
    switch kernel {
    case CK_NEGATE: return direct("negate")
    case CK_ABS: return direct("abs")
    case CK_SIGN: return direct("sign")
    case CK_FLOOR: return direct("floor")
    case CK_SQRT: return direct("sqrt")
    case CK_EXP: return direct("exponential")
    case CK_EXPM1: return direct("exponential_minus_one")
    case CK_LOG: return direct("log")
    case CK_LOG1P: return direct("log_plus_one")
    case CK_TANH: return direct("tanh")
    case CK_SIGMOID: return direct("logistic")
    case CK_SIN: return direct("sine")
    case CK_COS: return direct("cosine")
    case CK_SQUARE: return Operands(x * x)
    case CK_RECIPROCAL: return Operands(1 / x)
    case CK_RELU: return Operands(maximum(x, 0))
    case CK_SOFTPLUS: return Operands(maximum(x, 0) + Tensors.log1p(Tensors.exp(-Tensors.abs(x))))
    case CK_GELU: return Operands(x * (0.5 * (1 + Tensors.erf(x * 0.5.squareRoot()))))
    case CK_TANH_SLOPE:
      let t = Tensors.exp(-2 * Tensors.abs(x))
      return Operands(4 * t / (Tensors.square(1 + t)))
    case CK_SIGMOID_SLOPE:
      let t = Tensors.exp(-Tensors.abs(x))
      return Operands(t / (Tensors.square(1 + t)))
    case CK_ATAN:
      return graph.elementwise("stablehlo.atan2", x, .ones(x.shape, dtype: x.dtype))
    case CK_ERF: return graph.elementwise("chlo.erf", x)
    case CK_ERFINV: return graph.elementwise("chlo.erf_inv", x)
    default: fatalError("every function has a form")
    }
  }
}

extension ElementwiseFormula: Lowered {
  package func lowered(_ inputs: Operands, in graph: Graph) -> Operands { Operands(formula(inputs[0])) }
}

extension Pairwise: Lowered {
  package func lowered(_ inputs: Operands, in graph: Graph) -> Operands {
    let (a, b) = (inputs[0], inputs[1])
    guard let shape = Shape.broadcast(a.shape, b.shape) else {
      fatalError("shapes \(a.shape) and \(b.shape) do not broadcast")
    }
    let kind = Graph.Kind(shape, a.dtype)
    let operands = [a, b].map { graph.broadcast(graph.value(of: $0), $0.shape, kind) }
    func direct(_ name: String) -> Operands {
      Operands(graph.tensor(graph.operation("stablehlo.\(name)", operands, kind)))
    }
    func comparison(_ direction: String) -> Operands {
      let mask = graph.compare(direction, operands[0], operands[1])
      return Operands(graph.tensor(graph.operation("stablehlo.convert", [mask], kind)))
    }
    switch kernel {
    case CK_ADD: return direct("add")
    case CK_SUBTRACT: return direct("subtract")
    case CK_MULTIPLY: return direct("multiply")
    case CK_DIVIDE: return direct("divide")
    case CK_MAXIMUM: return direct("maximum")
    case CK_MINIMUM: return direct("minimum")
    case CK_POW: return direct("power")
    case CK_LESS: return comparison("LT")
    case CK_LESS_EQUAL: return comparison("LE")
    case CK_EQUAL: return comparison("EQ")
    case CK_NOT_EQUAL: return comparison("NE")
    default: fatalError("steps of the chain rule are taken on values alone")
    }
  }
}

extension Select: Lowered {
  package func lowered(_ inputs: Operands, in graph: Graph) -> Operands {
    let (mask, a, b) = (inputs[0], inputs[1], inputs[2])
    let kind = Graph.Kind(mask.shape, a.dtype)
    let operands = [a, b].map { graph.broadcast(graph.value(of: $0), $0.shape, kind) }
    let chosen = graph.isNonzero(graph.value(of: mask))
    return Operands(graph.tensor(graph.operation("stablehlo.select", [chosen] + operands, kind)))
  }
}
