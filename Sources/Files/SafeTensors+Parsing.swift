import Tensors

extension SafeTensors {
  static func parse(_ file: BinaryBytes) throws(FlowError) -> SafeTensors {
    let length = try file.number(at: 0, count: 8, "the header's length")
    guard (0...100_000_000).contains(length) else {
      throw file.error(
        at: 0,
        "expected a safetensors file, which starts with the length of its header, at most 100000000, "
          + "got \(UInt(bitPattern: length))")
    }
    let header = Array(try file.slice(8, count: length, "a header"))
    let json: JSON
    do throws(JSON.Failure) { json = try JSON(parsing: header) } catch {
      throw file.error(at: 8 + error.offset, error.message)
    }
    guard case .object(let members) = json else { throw file.error(at: 8, "expected an object of tensors") }
    let start = 8 + length
    var metadata: [String: String] = [:]
    var entries: [Entry] = []
    for member in members {
      if member.name == "__metadata__" {
        metadata = try texts(member.value, file)
      } else {
        entries.append(try Entry(member, file))
      }
    }
    try checkPlaces(entries, start, file)
    var tensors: [(name: String, value: Tensor)] = []
    for entry in entries {
      let elements = try Elements(
        entry.type, in: file, at: start + entry.range.lowerBound, count: entry.range.count, "a tensor")
      let note = " in \(excerpt(entry.name))"
      tensors.append((entry.name, try elements.tensor(entry.shape, dtype: entry.type.dtype, note: note)))
    }
    return SafeTensors(tensors, metadata: metadata)
  }

  /// Checks that the tensors cover the numbers without gap or overlap.
  ///
  /// Otherwise a small file could claim much memory, or hide content.
  private static func checkPlaces(_ entries: [Entry], _ start: Int, _ file: BinaryBytes) throws(FlowError) {
    var place = 0
    for entry in entries.sorted(by: {
      ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
    }) {
      guard entry.range.lowerBound == place else {
        throw file.error(
          at: start + min(place, file.count - start),
          "expected a tensor at byte \(place) of the numbers, "
            + "got \(excerpt(entry.name)) at \(entry.range.lowerBound)")
      }
      place = entry.range.upperBound
    }
    guard start + place == file.count else {
      throw file.error(at: start, "expected \(place) bytes of numbers, got \(file.count - start)")
    }
  }

  private static func texts(_ json: JSON, _ file: BinaryBytes) throws(FlowError) -> [String: String] {
    guard case .object(let members) = json else {
      throw file.error(at: 8, "expected __metadata__ to hold texts, got \(excerpt(json.text))")
    }
    let texts = try members.map { (member) throws(FlowError) in
      if let text = member.value.string { return (member.name, text) }
      throw file.error(
        at: 8, "expected a text under \(excerpt(member.name)), got \(excerpt(member.value.text))")
    }
    return Dictionary(uniqueKeysWithValues: texts)
  }

  /// The entry of one tensor in the header.
  private struct Entry {
    let name: String
    let type: ElementType
    let shape: Shape
    let range: Range<Int>

    init(_ member: JSON.Member, _ file: BinaryBytes) throws(FlowError) {
      func wrong(_ message: String) -> FlowError {
        file.error(at: 8, "\(message) for the tensor \(excerpt(member.name))")
      }
      name = member.name
      let typeName = member.value["dtype"]?.string ?? "none"
      guard let type = ElementType.allCases.first(where: { $0.rawValue.uppercased() == typeName }) else {
        throw wrong("expected a dtype such as F32 or I64, got \(excerpt(typeName))")
      }
      self.type = type
      guard let sizes = member.value["shape"]?.array?.map(\.integer), !sizes.contains(nil),
        let shape = checkedShape(sizes.compactMap { $0 })
      else { throw wrong("expected a shape of at most 6 axes and 2^48 numbers") }
      self.shape = shape
      guard let places = member.value["data_offsets"]?.array?.map(\.integer), places.count == 2,
        let first = places[0], let last = places[1], first >= 0, last >= first, last <= file.count
      else { throw wrong("expected two data_offsets within the file") }
      range = first..<last
      guard range.count == shape.count * type.byteCount else {
        throw wrong("expected \(shape.count * type.byteCount) bytes for shape \(shape), got \(range.count)")
      }
    }
  }
}
