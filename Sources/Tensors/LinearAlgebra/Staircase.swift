import CKernels

/// A matrix with zeros below a staircase, or above it. Products do not read these zeros, which cost no work.
package struct Staircase: Sendable {
  /// The number of rows that are not zero in each column. If `isLower`, columns in each row.
  package let limit: [UInt32]
  /// The first column that is not zero in each row. If `isLower`, the first row in each column.
  package let first: [UInt32]
  /// Whether the zeros are above the stairs.
  package let isLower: Bool

  /// Both arrays rise and describe the same elements.
  package init(limit: [UInt32], first: [UInt32], isLower: Bool = false) {
    (self.limit, self.first, self.isLower) = (limit, first, isLower)
  }

  /// A square matrix with zeros on the diagonal and on one side of it.
  init(strictlyLower isLower: Bool, size: Int) {
    let places = (0...UInt32(size))
    self.init(limit: Array(places.dropLast()), first: Array(places.dropFirst()), isLower: isLower)
  }

  /// The product f(op(a) op(b) + bias), [m, n]. The staircase is b, or the product if a is transposed.
  package func gemm(
    _ transposesA: Bool, _ transposesB: Bool, _ m: Int, _ n: Int, _ k: Int, _ a: Storage, _ b: Storage,
    bias: Storage? = nil, _ activation: ck_epilogue = CK_IDENTITY_EPILOGUE
  ) -> Tensor {
    let (c, type) = (Storage(shape: Shape(m, n), dtype: a.dtype), a.dtype.kernel)
    forRows(ofProduct: m, n, k) { rows in
      limit.withUnsafeBufferPointer { limit in
        first.withUnsafeBufferPointer { first in
          var stairs = ck_staircase(limit: limit.baseAddress, first: first.baseAddress, is_lower: isLower)
          withScratch(ck_gemm_scratch(type, m, n, k), a.dtype) {
            ck_gemm_staircase(
              type, transposesA, transposesB, m, rows.lowerBound, rows.upperBound, n, k, a.address, b.address,
              &stairs, bias?.address, activation, c.address, $0)
          }
        }
      }
    }
    return Tensor(c)
  }
}
