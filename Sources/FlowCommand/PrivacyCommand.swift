import Arguments
import Flows

/// `flow privacy`: accounts for the privacy of training steps, or finds their noise.
enum PrivacyCommand: Subcommand {
  static let name = "privacy"
  static let purpose = "The epsilon of private training steps, or the noise that a wished epsilon needs."
  static let operands: [String] = []

  static let options: [Arguments.Option] = [
    .init("rate", "Q", "the probability that a row joins a step, from 0 to 1"),
    .init("noise", "S", "the noise's standard deviation, as a multiple of the clipping norm"),
    .init("epsilon", "E", "instead of --noise: find the least noise for this epsilon"),
    .init("steps", "T", "the number of steps"),
    .init("delta", "D", "the probability for which epsilon may fail, below 1 / rows"),
    .init("points", "N", default: "131072", "grid points, a power of two: more tighten the two bounds"),
  ]

  static let examples = [
    "flow privacy --rate 0.01 --noise 1 --steps 1000 --delta 1e-5",
    "flow privacy --rate 0.01 --epsilon 3 --steps 1000 --delta 1e-5 --json",
  ]

  static func run(_ arguments: Arguments, noting notices: Notices) async throws -> Report {
    for option in ["rate", "steps", "delta"] where arguments.value(option) == nil {
      throw UsageError("privacy needs --rate, --steps and --delta; --\(option) is missing")
    }
    guard (arguments.value("noise") == nil) != (arguments.value("epsilon") == nil) else {
      throw UsageError("privacy needs either --noise or --epsilon")
    }
    let rate = try arguments.number("rate", in: 0...1)
    let steps = try arguments.integer("steps", in: 0...1_000_000_000)
    let delta = try arguments.number("delta", in: PLDAccountant.leastDelta...1.0.nextDown)
    let points = try arguments.integer("points", in: 1 << 8...1 << 24)
    guard points.nonzeroBitCount == 1 else {
      throw UsageError("expected a power of two for --points, got \(points)")
    }
    let accountant = PLDAccountant(points: points)
    var members: [JSON.Member] = []
    let noise: Double
    if arguments.value("epsilon") != nil {
      let epsilon = try arguments.number("epsilon", in: 1e-6...1e6)
      noise = try accountant.noiseMultiplier(epsilon: epsilon, delta: delta, rate: rate, steps: steps)
      members.append(JSON.Member("epsilon", .number(epsilon)))
    } else {
      noise = try arguments.number("noise", in: SubsampledGaussian.leastNoise...1e6)
    }
    let ledger = try PrivacyLedger(
      SubsampledGaussian(rate: rate, noiseMultiplier: noise), steps: steps)
    let (rdp, order) = try RDPAccountant().epsilon(of: ledger, delta: delta)
    let pld = try accountant.epsilon(of: ledger, delta: delta)
    members += [
      JSON.Member("rate", .number(rate)), JSON.Member("noise", .number(noise)),
      JSON.Member("steps", .integer(steps)), JSON.Member("delta", .number(delta)),
      JSON.Member("epsilon_rdp", .number(rdp)), JSON.Member("order", .number(order)),
      JSON.Member("epsilon_pld", .number(pld.upper)), JSON.Member("epsilon_pld_lower", .number(pld.lower)),
    ]
    let text = """
      noise \(noise), rate \(rate), \(counted(steps, "step")), delta \(delta)
      epsilon \(pld.upper) by privacy loss distributions; at least \(pld.lower) is spent
      epsilon \(rdp) by Rényi divergences, at order \(order)
      for one row more or less, if rows join each step independently and the noise is secret
      """
    return Report(text: text, json: .object(members))
  }
}
