/// Processes that compute together, numbered from 0, and the way in which bytes go from one to another.
///
/// The trait `MPI` adds one by MPI. Any other transport that keeps the order of messages serves too.
public protocol RankGroup: Sendable {
  /// The number of this process, its rank.
  var rank: Int { get }
  /// The number of processes.
  var count: Int { get }

  /// Sends bytes to a rank. It may return before they arrive, but must not need the bytes any longer.
  ///
  /// Throws where the transport fails, or a time limit ends.
  func send(_ bytes: UnsafeRawBufferPointer, to rank: Int) throws

  /// Fills a buffer with the next bytes from a rank, which are a message of this length.
  ///
  /// Throws where the transport fails, or a time limit ends.
  func receive(into bytes: UnsafeMutableRawBufferPointer, from rank: Int) throws
}
