import Testing

@testable import Training

@Suite struct ProgressOutputTests {
  @Test func linesTellShareLossAndTimeLeft() {
    var meter = ProgressMeter(.lines, total: 200)
    func line(_ done: Int, _ seconds: Int) -> String? {
      meter.output(done, after: .seconds(seconds), "epoch 1 of 4, loss 1.5, best -")
    }
    #expect(line(1, 0) == "0% epoch 1 of 4, loss 1.5, best -, 0s gone, 0s left\n")
    #expect(line(2, 1) == nil)  // two seconds between lines
    #expect(line(50, 30) == "25% epoch 1 of 4, loss 1.5, best -, 1.7/s, 30s gone, 1m30s left\n")
    #expect(line(199, 31) == nil)
    #expect(line(200, 32) == "100% epoch 1 of 4, loss 1.5, best -, 6.3/s, 32s gone, 0s left\n")
  }

  @Test func barRedrawsItsLine() {
    var meter = ProgressMeter(.bar, total: 4)
    #expect(
      meter.output(1, after: .seconds(3), "loss 2.0")
        == "\r\u{1B}[2K" + String(repeating: "█", count: 6) + String(repeating: "░", count: 18)
        + " 25% loss 2.0, 3.0s each, 3s gone, 9s left")
    #expect(meter.output(2, after: .milliseconds(3_050), "") == nil)
    #expect(
      meter.output(4, after: .milliseconds(3_060), "")?.hasSuffix("100% , 1.3/s, 3s gone, 0s left") == true)
  }

  @Test func stepsOfAnEarlierRunAreDoneAndTellNothingOfTheTimeLeft() {
    var meter = ProgressMeter(.lines, total: 1_000, from: 900)
    #expect(meter.output(910, after: .seconds(20), "") == "91% , 2.0s each, 20s gone, 3m0s left\n")
    #expect(meter.output(1_000, after: .seconds(40), "") == "100% , 2.5/s, 40s gone, 0s left\n")
  }

  @Test func nothingIsShownOfWhatIsOverSoon() {
    var meter = ProgressMeter(.bar, total: 1_000, quietFor: .seconds(2))
    #expect(meter.output(999, after: .milliseconds(1_990), "") == nil)
    #expect(meter.output(1_000, after: .milliseconds(1_999), "") == nil)
    #expect(meter.output(500, after: .milliseconds(2_000), "") != nil)
  }

  @Test(arguments: [
    (1, 4.0, "4.0s each"), (4, 1.0, "4.0/s"), (40_000, 2.0, "20000/s"), (0, 30.0, "30s each"),
  ])
  func ratesAreSteps(done: Int, seconds: Double, rate: String) {
    var meter = ProgressMeter(.lines, total: 100_000)
    let line = meter.output(done, after: .seconds(seconds), "")
    #expect(line?.contains(" , \(rate), ") == true, "\(line ?? "nothing")")
  }

  @Test func silenceIsSilent() {
    var meter = ProgressMeter(.silent, total: 1)
    #expect(meter.output(1, after: .seconds(9), "") == nil)
  }
}
