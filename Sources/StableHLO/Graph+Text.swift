import Tensors

// The text form of a graph, in MLIR's generic syntax.

extension Graph {
  /// A module with one public function.
  func module(_ name: String) -> String {
    let label = String(name.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
    let names = arguments.indices.map { "%arg\($0)" }
    let header = zip(names, arguments).map { "\($0): \(text(kind($1)))" }.joined(separator: ", ")
    let types = results.map { text(kind($0)) }.joined(separator: ", ")
    var lines = ["module @\(label) {", "  func.func public @main(\(header)) -> (\(types)) {"]
    lines += body("    ", "v", names, end: "func.return")
    return (lines + ["  }", "}", ""]).joined(separator: "\n")
  }

  /// The operations that the results depend on, in order.
  private func body(_ indent: String, _ prefix: String, _ names: [String], end: String) -> [String] {
    var texts: [Value: String] = [:]
    for (name, value) in zip(names, arguments) { texts[value] = name }
    var lines: [String] = []
    let isNeeded = needed()
    for (i, node) in nodes.enumerated() where isNeeded[i] && node.name != "argument" {
      let name = "%\(prefix)\(i)"
      if node.kinds.count == 1 {
        texts[Value(node: i)] = name
      } else {
        for k in node.kinds.indices { texts[Value(node: i, result: k)] = "\(name)#\(k)" }
      }
      let left = node.kinds.count == 1 ? name : "\(name):\(node.kinds.count)"
      if let constant = node.constant {
        lines.append("\(indent)\(left) = stablehlo.constant \(dense(constant)) : \(text(node.kinds[0]))")
        continue
      }
      let operands = node.operands.map { texts[$0]! }.joined(separator: ", ")
      var line = "\(indent)\(left) = \"\(node.name)\"(\(operands))"
      if !node.attributes.isEmpty { line += " <{\(node.attributes)}>" }
      if !node.regions.isEmpty {
        let regions = node.regions.enumerated().map { k, region in
          region.region(indent + "  ", "\(prefix)\(i)_\(k)_")
        }
        line += " (\(regions.joined(separator: ", ")))"
      }
      let inputs = node.operands.map { text(kind($0)) }.joined(separator: ", ")
      let outputs = node.kinds.map(text).joined(separator: ", ")
      lines.append(line + " : (\(inputs)) -> " + (node.kinds.count == 1 ? outputs : "(\(outputs))"))
    }
    let values = results.map { texts[$0]! }.joined(separator: ", ")
    let types = results.map { text(kind($0)) }.joined(separator: ", ")
    lines.append(
      end == "func.return"
        ? "\(indent)\(end) \(values) : \(types)" : "\(indent)\"\(end)\"(\(values)) : (\(types)) -> ()")
    return lines
  }

  /// The graph as the region of an operation.
  private func region(_ indent: String, _ prefix: String) -> String {
    let names = arguments.indices.map { "%\(prefix)arg\($0)" }
    let header = zip(names, arguments).map { "\($0): \(text(kind($1)))" }.joined(separator: ", ")
    let lines = ["{", "\(indent)^bb0(\(header)):"] + body(indent, prefix, names, end: "stablehlo.return")
    return (lines + ["\(indent.dropLast(2))}"]).joined(separator: "\n")
  }

  /// Whether each node contributes to the results.
  private func needed() -> [Bool] {
    var isNeeded = [Bool](repeating: false, count: nodes.count)
    for result in results { isNeeded[result.node] = true }
    for i in nodes.indices.reversed() where isNeeded[i] {
      for operand in nodes[i].operands { isNeeded[operand.node] = true }
    }
    return isNeeded
  }

  /// The numbers of a constant: one for all if they are equal, else their bytes in hexadecimal.
  private func dense(_ tensor: Tensor) -> String {
    let bytes = tensor.withBytes { Array($0) }
    let size = tensor.dtype.byteCount
    if tensor.count == 0 { return "dense<>" }
    let first = bytes.prefix(size)
    let isSplat = stride(from: 0, to: bytes.count, by: size).allSatisfy { bytes[$0..<$0 + size] == first }
    if isSplat {
      if tensor.dtype == .int32 { return "dense<\(tensor.ints[0])>" }
      // The most significant byte comes first.
      return "dense<0x\(hexadecimal(first.reversed()))>"
    }
    return "dense<\"0x\(hexadecimal(bytes))\">"
  }
}

private func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
  let digits = Array("0123456789ABCDEF".utf8)
  var text: [UInt8] = []
  for byte in bytes { text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
  return String(decoding: text, as: UTF8.self)
}
