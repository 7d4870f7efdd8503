import Flows
import Testing

@testable import flow

/// `flow privacy` on command lines.
@Suite struct PrivacyCommandTests {
  private func flow(_ line: String) async -> FlowCommand.Outcome {
    await FlowCommand.run(line.split(separator: " ").map(String.init))
  }

  private func json(_ line: String) async throws -> JSON {
    let outcome = await flow(line + " --points 8192 --json")
    #expect(outcome.code == 0 && outcome.error == nil, "\(outcome)")
    return try JSON(parsing: Array(outcome.output.utf8))
  }

  @Test func epsilonByBothAccountants() async throws {
    let result = try await json("privacy --rate 0.05 --noise 2 --steps 200 --delta 1e-4")
    let rdp = try #require(result["epsilon_rdp"]?.number)
    #expect(abs(rdp - 1.4687452394) < 1e-9 && result["order"]?.number == 9.6)
    let upper = try #require(result["epsilon_pld"]?.number)
    let lower = try #require(result["epsilon_pld_lower"]?.number)
    #expect(lower < 1.30382319 && 1.30382319 < upper && upper - lower < 2e-4)
    #expect(result["rate"]?.number == 0.05 && result["noise"]?.number == 2 && result["steps"] == 200)
    #expect(result["delta"]?.number == 1e-4 && result["epsilon"] == nil)
  }

  @Test func noiseForAnEpsilon() async throws {
    let result = try await json("privacy --rate 1 --epsilon 1.9930914044151 --steps 1 --delta 1e-5")
    let noise = try #require(result["noise"]?.number)
    #expect(noise >= 2 && noise < 2.001)
    let upper = try #require(result["epsilon_pld"]?.number)
    #expect(upper <= 1.9930914044151 && result["epsilon"]?.number == 1.9930914044151)
  }

  @Test func text() async {
    let outcome = await flow("privacy --rate 0 --noise 1 --steps 10 --delta 1e-5")
    #expect(
      outcome.output == """
        noise 1.0, rate 0.0, 10 steps, delta 1e-05
        epsilon 0.0 by privacy loss distributions; at least 0.0 is spent
        epsilon 0.0 by Rényi divergences, at order 1.1
        for one row more or less, if rows join each step independently and the noise is secret

        """)
  }

  @Test(arguments: [
    ("--noise 1 --steps 10 --delta 1e-5", "privacy needs --rate, --steps and --delta; --rate is missing"),
    ("--rate 0.1 --noise 1 --delta 1e-5", "privacy needs --rate, --steps and --delta; --steps is missing"),
    ("--rate 0.1 --noise 1 --steps 10", "privacy needs --rate, --steps and --delta; --delta is missing"),
    ("--rate 0.1 --steps 10 --delta 1e-5", "privacy needs either --noise or --epsilon"),
    ("--rate 0.1 --noise 1 --epsilon 1 --steps 10 --delta 1e-5", "privacy needs either --noise or --epsilon"),
    ("--rate 1.5 --noise 1 --steps 10 --delta 1e-5", "expected a number from 0.0 to 1.0 for --rate, got 1.5"),
    ("--rate nan --noise 1 --steps 10 --delta 1e-5", "expected a number from 0.0 to 1.0 for --rate, got nan"),
    (
      "--rate 0.1 --noise 0 --steps 10 --delta 1e-5",
      "expected a number from 0.05 to 1000000.0 for --noise, got 0"
    ),
    (
      "--rate 0.1 --noise 1 --steps -1 --delta 1e-5",
      "expected a whole number from 0 to 1000000000 for --steps, got -1"
    ),
    (
      "--rate 0.1 --noise 1 --steps 1 --delta 1",
      "expected a number from 1e-100 to 0.9999999999999999 for --delta, got 1"
    ),
    (
      "--rate 0.1 --epsilon 0 --steps 1 --delta 1e-5",
      "expected a number from 1e-06 to 1000000.0 for --epsilon, got 0"
    ),
    (
      "--rate 0.1 --noise 1 --steps 1 --delta 1e-5 --points 1000",
      "expected a power of two for --points, got 1000"
    ),
    ("extra --rate 0.1 --noise 1 --steps 1 --delta 1e-5", "unexpected extra"),
  ])
  func wrongLines(line: String, message: String) async {
    let outcome = await flow("privacy " + line)
    #expect(outcome.code == 2 && outcome.output.isEmpty)
    #expect(outcome.error == message + "; flow privacy --help says more")
  }

  @Test func anEpsilonThatNoNoiseGives() async {
    let outcome = await flow("privacy --rate 1 --epsilon 1e-6 --steps 1000000000 --delta 1e-9 --points 256")
    #expect(outcome.code == 1 && outcome.output.isEmpty)
    #expect(outcome.error?.contains("no noise multiplier up to 1000000.0 gives epsilon 1e-06") == true)
  }
}
