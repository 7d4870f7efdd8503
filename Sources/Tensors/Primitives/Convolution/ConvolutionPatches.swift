import CKernels

extension ConvolutionGeometry {
  /// The windows of some output positions as rows: patches[row][tap][channel], zeros where a tap lies outside.
  func gather(_ x: Storage, channels: Int, _ positions: Range<Int>, into patches: Storage) {
    switch x.dtype {
    case .float32: gather(x.floats, channels, positions, patches.floats, 0)
    case .float64: gather(x.doubles, channels, positions, patches.doubles, 0)
    case .int32: fatalError("int32 tensors are indices: no arithmetic")
    }
  }

  @inline(__always)
  private func gather<Element>(
    _ x: UnsafeMutablePointer<Element>, _ channels: Int, _ positions: Range<Int>,
    _ patches: UnsafeMutablePointer<Element>, _ zero: Element
  ) {
    let width = taps * channels
    visit(
      positions, clip: { row in (patches + row * width).update(repeating: zero, count: width) },
      run: { row, tap, position, count in
        (patches + row * width + tap * channels).update(
          from: x + position * channels, count: count * channels)
      })
  }

  /// The adjoint of `gather`: rows of patches added to where they came from, in rising order of position and tap.
  func scatter(_ patches: Storage, channels: Int, _ positions: Range<Int>, addingTo x: Storage) {
    let width = taps * channels
    switch x.dtype {
    case .float32:
      let (from, to) = (patches.floats, x.floats)
      visit(positions, clip: { _ in }) { row, tap, position, count in
        let target = to + position * channels
        ck_binary_f32(
          CK_ADD, target, 1, from + row * width + tap * channels, 1, target, count * channels)
      }
    case .float64:
      let (from, to) = (patches.doubles, x.doubles)
      visit(positions, clip: { _ in }) { row, tap, position, count in
        let target = to + position * channels
        ck_binary_f64(
          CK_ADD, target, 1, from + row * width + tap * channels, 1, target, count * channels)
      }
    case .int32: fatalError("int32 tensors are indices: no arithmetic")
    }
  }

  /// Calls `body` with ranges of positions and memory for `columns` numbers of each: 256 kB, or 252 positions if that is
  /// more, whatever the batch.
  func blocks(
    of positions: Int, columns: Int, _ dtype: DType,
    _ body: (_ positions: Range<Int>, _ patches: Storage) -> Void
  ) {
    let size = max(252, 65_536 / max(columns, 1))
    let memory = Storage(shape: [min(size, positions) * columns], dtype: dtype)
    for start in stride(from: 0, to: positions, by: size) {
      let range = start..<min(start + size, positions)
      body(range, Storage(viewing: memory, from: 0, shape: [range.count, columns]))
    }
  }
}

extension Storage {
  /// Some rows of `width` numbers.
  func rows(_ range: Range<Int>, width: Int) -> Storage {
    Storage(viewing: self, from: range.lowerBound * width, shape: [range.count, width])
  }
}
