import Testing

@testable import Training

@Suite struct ProgressTests {
  @Test func linesTellShareLossAndTimeLeft() {
    var meter = ProgressMeter(.lines, total: 200)
    func line(_ done: Int, _ seconds: Int) -> String? {
      meter.output(done, after: .seconds(seconds), "epoch 1 of 4, loss 1.5, best -")
    }
    #expect(line(1, 0) == "0% epoch 1 of 4, loss 1.5, best -, 0s gone, 0s left\n")
    #expect(line(2, 1) == nil)  // two seconds between lines
    #expect(line(50, 30) == "25% epoch 1 of 4, loss 1.5, best -, 30s gone, 1m30s left\n")
    #expect(line(199, 31) == nil)
    #expect(line(200, 32) == "100% epoch 1 of 4, loss 1.5, best -, 32s gone, 0s left\n")
  }

  @Test func barRedrawsItsLine() {
    var meter = ProgressMeter(.bar, total: 4)
    #expect(
      meter.output(1, after: .seconds(3), "loss 2.0")
        == "\r\u{1B}[2K" + String(repeating: "█", count: 6) + String(repeating: "░", count: 18)
        + " 25% loss 2.0, 3s gone, 9s left")
    #expect(meter.output(2, after: .milliseconds(3_050), "") == nil)
    #expect(meter.output(4, after: .milliseconds(3_060), "")?.hasSuffix("100% , 3s gone, 0s left") == true)
  }

  @Test func silenceIsSilent() {
    var meter = ProgressMeter(.silent, total: 1)
    #expect(meter.output(1, after: .seconds(9), "") == nil)
  }
}
