import Tensors

/// A learning rate as a function of the number of steps done. A literal is a constant. Values are those of
/// optax's schedules.
public struct Schedule: Sendable, ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral,
  CustomStringConvertible
{
  /// The schedule in words, which a checkpoint compares: `cosine(0.01, steps: 100, final: 0.0)`; `function`
  /// for a closure.
  public let description: String
  private let value: @Sendable (Int) -> Double

  /// A schedule from a function of the step, which counts from 0.
  public init(_ value: @escaping @Sendable (Int) -> Double) { self.init("function", value) }
  /// A constant.
  public init(floatLiteral value: Double) { self = .constant(value) }
  /// A constant.
  public init(integerLiteral value: Int) { self = .constant(Double(value)) }

  private init(_ description: String, _ value: @escaping @Sendable (Int) -> Double) {
    (self.description, self.value) = (description, value)
  }

  /// The rate at a step.
  public func callAsFunction(_ step: Int) -> Double { value(step) }

  /// One rate.
  public static func constant(_ rate: Double) -> Schedule { Schedule("\(rate)") { _ in rate } }

  /// From `rate` to `final` along half a cosine in `steps` steps, then `final`.
  public static func cosine(_ rate: Double, steps: Int, final: Double = 0) -> Schedule {
    Schedule("cosine(\(rate), steps: \(steps), final: \(final))") { step in
      let angle = Double.pi * Double(min(step, steps)) / Double(max(steps, 1))
      return final + (rate - final) * 0.5 * (1 + cos(Tensor(angle, dtype: .float64)).item)
    }
  }

  /// From `first` to `last` along a line in `steps` steps, then `last`.
  public static func linear(from first: Double, to last: Double, steps: Int) -> Schedule {
    Schedule("linear(from: \(first), to: \(last), steps: \(steps))") { step in
      first + (last - first) * min(Double(step) / Double(max(steps, 1)), 1)
    }
  }

  /// rate · factor^(step / steps); in stairs, the exponent is rounded down.
  public static func exponential(
    _ rate: Double, factor: Double, steps: Int, inStairs: Bool = false
  ) -> Schedule {
    Schedule("exponential(\(rate), factor: \(factor), steps: \(steps), inStairs: \(inStairs))") { step in
      let exponent = Double(step) / Double(max(steps, 1))
      return rate * pow(Tensor(factor, dtype: .float64), inStairs ? exponent.rounded(.down) : exponent).item
    }
  }

  /// A line from 0 to the rate of `next` at its start in `steps` steps, then `next`.
  public static func warmUp(steps: Int, then next: Schedule) -> Schedule {
    Schedule("warmUp(steps: \(steps), then: \(next))") { step in
      step < steps ? next(0) * Double(step) / Double(steps) : next(step - steps)
    }
  }
}
