import PJRT
import Tensors

/// Where a fit computes its steps: by this library on the processor, or by XLA on a device.
///
/// ```swift
/// let plugin = try PJRTPlugin("/path/to/pjrt_plugin.so")
/// let fitted = try fit(Flow.neuralSpline(), to: data, key: Key(0), on: .pjrt(plugin))
/// ```
///
/// On a device, a whole step is one program: loss, gradient, statistics, and the optimizer with clipping,
/// schedule and weight decay. Parameters and the optimizer's state stay there. Batches come from the host.
/// The program draws the objective's numbers from the step's key, with the integers of a fit on the
/// processor. The loss of held-out rows is computed on the device too, if it has a program.
///
/// A gradient whose squared norm is above the range of its dtype counts as not finite.
///
/// Results agree with those on the processor to rounding. They differ in bits between devices. A checkpoint
/// of either goes on with the other.
///
/// A step that has no program throws `FlowError.mismatch` with the reason. Such are objectives that read the
/// numbers of their batch, those whose formula changes from step to step, and layers without a program.
public struct Engine: Sendable {
  /// The device; nil for this library's own kernels.
  let device: Device?
  /// The number of steps after which the host looks at the losses.
  let interval: Int

  /// This library's kernels, with the same bits on every machine.
  public static let cpu = Engine(device: nil, interval: 1)

  /// The first device of a plugin.
  ///
  /// - Parameter interval: the number of steps after which the host looks at the losses. It also looks after
  ///   each epoch and before a checkpoint. A loss that is not finite is found then, and the steps since the
  ///   last look are repeated to find the first one.
  /// - Precondition: a positive interval.
  public static func pjrt(_ plugin: PJRTPlugin, lookingEvery interval: Int = 32) -> Engine {
    .pjrt(plugin.firstDevice, lookingEvery: interval)
  }

  /// A device.
  ///
  /// - Parameter interval: the number of steps after which the host looks at the losses.
  /// - Precondition: a positive interval.
  public static func pjrt(_ device: Device, lookingEvery interval: Int = 32) -> Engine {
    require(interval > 0, "the host looks at losses every positive number of steps, got \(interval)")
    return Engine(device: device, interval: interval)
  }
}
