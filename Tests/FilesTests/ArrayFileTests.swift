import Foundation
import Tensors
import Testing

@testable import Files

/// Where fixtures lie.
let fixtures = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures").path

/// 0.375 i - 1.125 in real numbers, i - 3 in whole ones: what `make_files.py` writes.
func pattern(_ shape: Shape, _ dtype: DType, whole: Bool = false, from first: Int = -3) -> Tensor {
  let values = (0..<shape.count).map { whole ? Double($0 + first) : 0.375 * Double($0) - 1.125 }
  return Tensor(values, shape: shape, dtype: dtype)
}

func temporaryFolder() throws -> String {
  let folder = FileManager.default.temporaryDirectory.appending(path: "flows-\(UUID().uuidString)").path
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  return folder
}

@Suite struct NPYTests {
  @Test(
    arguments: [
      ("f2", .float32), ("f4", .float32), ("f8", .float64), ("big-f4", .float32), ("big-f8", .float64),
    ] as [(String, DType)])
  func readsRealNumbers(name: String, dtype: DType) throws {
    let path = "\(fixtures)/\(name).npy"
    #expect(try NPY.read(path).isIdentical(to: pattern([2, 3], dtype)))
    #expect(try NPY.read(path, dtype: .float32).isIdentical(to: pattern([2, 3], .float32)))
    #expect(try NPY.read(path, dtype: .float64).isIdentical(to: pattern([2, 3], .float64)))
  }

  @Test(arguments: ["i1", "i2", "i4", "i8", "big-i8", "u1", "big-u2", "u4", "u8"])
  func readsWholeNumbers(name: String) throws {
    let path = "\(fixtures)/\(name).npy"
    let first = name.contains("u") ? 0 : -3
    #expect(try NPY.read(path).isIdentical(to: pattern([2, 3], .int32, whole: true, from: first)))
    let reals = try NPY.read(path, dtype: .float32)
    #expect(reals.isIdentical(to: pattern([2, 3], .float32, whole: true, from: first)))
  }

  @Test func readsOtherLayouts() throws {
    #expect(try NPY.read("\(fixtures)/b1.npy").ints == [1, 0, 0, 1, 0, 0])
    #expect(try NPY.read("\(fixtures)/scalar.npy").isIdentical(to: pattern([], .float64)))
    #expect(try NPY.read("\(fixtures)/vector.npy").isIdentical(to: pattern([5], .float32)))
    #expect(try NPY.read("\(fixtures)/empty.npy").isIdentical(to: pattern([0, 4], .float32)))
    #expect(try NPY.read("\(fixtures)/fortran.npy").isIdentical(to: pattern([2, 3, 4], .float32)))
    #expect(try NPY.read("\(fixtures)/version-2.npy").isIdentical(to: pattern([2, 3], .float32)))
    #expect(try NPY.read("\(fixtures)/version-3.npy").isIdentical(to: pattern([2, 3], .float32)))
  }

  @Test(
    arguments: [
      ("too-large", "at byte 136: expected a number that int32 holds, got 2147483648"),
      ("text", "at byte 20: expected real or whole numbers such as \"<f4\" or \"<i8\", got \"<U1\""),
      ("records", "at byte 20: expected one array of numbers, got records, which are not supported"),
    ])
  func refuses(name: String, message: String) {
    let path = "\(fixtures)/\(name).npy"
    let error = #expect(throws: FlowError.self) { try NPY.read(path) }
    #expect(error == .file(path: path, row: nil, column: nil, message: message))
  }

  @Test func errorsSayWhereAndWhat() throws {
    func message(_ bytes: [UInt8], dtype: DType? = nil) -> String {
      do throws(FlowError) { return "\(try NPY.parse(bytes: bytes, dtype: dtype).shape)" } catch {
        return error.description
      }
    }
    let file = NPY.bytes(of: pattern([2, 3], .float32))
    #expect(
      message(Array(file.dropLast()))
        == "array: at byte 128: expected an array of [2, 3] of 24 bytes, got 23 to the end of the file")
    #expect(message(file + [0]).hasSuffix("got 1 more bytes"))
    #expect(message([]).hasPrefix("array: at byte 0: expected an array file"))
    let lie = Array(
      String(decoding: file[10..<128], as: UTF8.self).replacing(
        "(2, 3)", with: "(2147483647, 2147483647, 2147483647)"
      ).utf8)
    #expect(message(Array(file[..<8]) + [UInt8(lie.count), 0] + lie).contains("expected at most 6 axes"))
    #expect(message(NPY.bytes(of: Tensor([1e300], dtype: .float64)), dtype: .float32).hasSuffix("got 1e+300"))
  }

  @Test func roundTripsEveryBit() throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    for tensor in [
      Tensor([.nan, -.infinity, -0.0, .leastNonzeroMagnitude], dtype: .float64),
      pattern([2, 3, 4], .float32),
      Tensor(ints: [1, -2]),
      pattern([], .float32), pattern([3, 0], .float64), pattern([1, 1, 1, 1, 1, 2], .float32),
    ] {
      try NPY.write(tensor, to: folder + "/a.npy")
      #expect(try NPY.read(folder + "/a.npy").isIdentical(to: tensor))
    }
  }
}

@Suite struct MappedArrayTests {
  @Test(arguments: ["fortran", "f8", "big-f4", "u1", "vector"])
  func rowsAreThoseOfTheWholeArray(name: String) throws {
    let path = "\(fixtures)/\(name).npy"
    let (mapped, whole) = (try MappedArray(path, dtype: .float64), try NPY.read(path, dtype: .float64))
    #expect(mapped.shape == whole.shape)
    #expect(try mapped.rows([1, 0, 1]).isIdentical(to: whole.rows([1, 0, 1])))
    #expect(try mapped.rows(0..<2).isIdentical(to: whole[0..<2]))
    #expect(try mapped.rows([]).shape == whole.shape.replacing(0, by: 0))
  }

  @Test func refusesWhatIsNotThere() throws {
    #expect(throws: FlowError.self) { try MappedArray("\(fixtures)/none.npy") }
    #expect(throws: FlowError.self) { try MappedArray("\(fixtures)/scalar.npy") }
    #expect(throws: FlowError.self) { try MappedArray(fixtures) }
    let error = #expect(throws: FlowError.self) { try MappedArray("\(fixtures)/too-large.npy").rows(0..<2) }
    #expect(
      error?.description.hasSuffix("at byte 136: expected a number that int32 holds, got 2147483648") == true)
  }
}

@Suite struct NPZTests {
  @Test(arguments: ["stored", "deflated"]) func reads(name: String) throws {
    let archive = try NPZ.read("\(fixtures)/\(name).npz")
    #expect(archive.members.map(\.name).prefix(3) == ["x", "y", "labels"])
    #expect(try #require(archive["x"]).isIdentical(to: pattern([3, 4], .float32)))
    #expect(try #require(archive["y"]).isIdentical(to: pattern([2, 3], .float64)))
    #expect(try #require(archive["labels"]).isIdentical(to: pattern([6], .int32, whole: true)))
    #expect(archive["none"] == nil)
    if name == "deflated" {
      let noise = try #require(archive["noise"])
      // numpy.random.default_rng(0).random(600): the first number, and all of them through the checksum.
      #expect(noise.shape == [600] && noise.doubles[0] == 0.6369616873214543)
    }
  }

  @Test func whatItWritesItReads() throws {
    let archive = NPZ(["größe": pattern([2, 3], .float32), "": Tensor(ints: [1])])
    let again = try NPZ.parse(bytes: archive.bytes)
    #expect(again.members.map(\.name) == ["größe", ""])
    #expect(zip(again.members, archive.members).allSatisfy { $0.value.isIdentical(to: $1.value) })
  }

  @Test func errorsSayWhereAndWhat() throws {
    func message(_ bytes: [UInt8], limit: Int = 1 << 30) -> String {
      do throws(FlowError) { return "\(try NPZ.parse(bytes: bytes, limit: limit).members.count)" } catch {
        return error.description
      }
    }
    let file = try FileBytes.read("\(fixtures)/deflated.npz")
    #expect(message(file) == "4")
    #expect(message(file, limit: 1_000).contains("expected members that expand to at most 1000 bytes"))
    #expect(
      message(Array(file.dropLast()))
        == "archive: at byte 0: expected a zip file, got one without a directory at its end")
    var broken = file
    broken[100] ^= 1
    #expect(message(broken).hasPrefix("archive: at byte "))
    var encrypted = NPZ(["x": Tensor(1)]).bytes
    let directory = encrypted.count - 22 - 46 - 5
    encrypted[directory + 8] |= 1
    #expect(message(encrypted).hasSuffix("expected members in the clear, got \"x.npy\" encrypted"))
    var large = NPZ(["x": Tensor(1)]).bytes
    for i in 0..<4 { large[directory + 24 + i] = 0xFF }
    #expect(message(large).hasSuffix("expected a member below 4 GiB, got \"x.npy\" in zip64's format"))
    var changed = NPZ(["x": Tensor(1)]).bytes
    changed[30 + 5 + 128] ^= 1
    #expect(message(changed).contains("expected the checksum"))
  }
}
