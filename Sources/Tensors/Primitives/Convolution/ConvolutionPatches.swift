import CKernels

extension ConvolutionGeometry {
  /// The windows of some output positions as rows, patches[row][tap][channel]. Taps outside give zeros.
  func gather(_ x: Storage, channels: Int, _ positions: Range<Int>, into patches: Storage) {
    let (width, size) = (taps * channels, x.dtype.byteCount)
    visit(
      positions, clip: { row in patches.fill(row * width..<(row + 1) * width, with: 0) },
      run: { row, tap, position, count in
        patches.address(row * width + tap * channels).copyMemory(
          from: x.address(position * channels), byteCount: count * channels * size)
      })
  }

  /// The adjoint of `gather`: adds rows of patches to their places in x, in rising order of position and tap.
  func scatter(_ patches: Storage, channels: Int, _ positions: Range<Int>, addingTo x: Storage) {
    let (width, type) = (taps * channels, x.dtype.kernel)
    visit(positions, clip: { _ in }) { row, tap, position, count in
      let target = x.address(position * channels)
      let source = patches.address(row * width + tap * channels)
      ck_binary(type, CK_ADD, target, 1, source, 1, target, count * channels)
    }
  }

  /// Calls `body` with ranges of positions, and with memory for `columns` numbers per position.
  ///
  /// The memory holds 65,536 numbers, or 252 positions if that is more, whatever the batch.
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
  /// A view of some rows of `width` numbers.
  func rows(_ range: Range<Int>, width: Int) -> Storage {
    Storage(viewing: self, from: range.lowerBound * width, shape: [range.count, width])
  }
}
