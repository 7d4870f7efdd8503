import Files
import Foundation
import Plots
import Tensors
import Testing

@Suite struct PageTests {
  private let chart = LineChart("Losses", series: [.init("training", [3, 2, 1])])

  private func page(reload: Int? = nil) -> Page {
    var page = Page("a < b", reload: reload)
    page.heading("First & last")
    page.note("loss 1\nloss 2")
    page.show(chart)
    page.show(chart)
    return page
  }

  /// Texts are escaped, pictures stand inside, and parts keep their order.
  @Test func partsStandInOrder() throws {
    let html = page().html
    let marks = [
      "<!DOCTYPE html>", "<title>a &lt; b</title>", "<h2>First &amp; last</h2>",
      "<pre>loss 1<br/>loss 2</pre>",
    ]
    var rest = html[...]
    for mark in marks + Array(repeating: "src=\"data:image/svg+xml;base64,", count: 2) {
      let range = try #require(rest.firstRange(of: mark))
      rest = rest[range.upperBound...]
    }
    #expect(!html.contains("http-equiv") && !html.contains("href="))
  }

  @Test func anOpenPageReloads() {
    #expect(page(reload: 2).html.contains("<meta http-equiv=\"refresh\" content=\"2\"/>"))
  }

  @Test(arguments: [0, -5]) func aPageReloadsAfterPositiveSeconds(_ seconds: Int) async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      [seconds] in _ = Page("a", reload: seconds)
    }
    let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(text.contains("a page reloads after a positive number of seconds, got \(seconds)"))
  }

  /// The system's calls would end the path at the NUL, and write to another file.
  @Test func aPathWithNULIsRefused() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "page-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let error = #expect(throws: FlowError.self) { try page().write(to: "\(folder)/a\0b.html") }
    #expect(error?.description.contains("a path without NUL") == true)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
    #expect(throws: FlowError.self) { try FileBytes.read("\(folder)/a\0b") }
    #expect(throws: FlowError.self) { try FileBytes.makeFolder("\(folder)/a\0b") }
    #expect(throws: FlowError.self) { try MappedArray("\(folder)/a\0b.npy") }
  }

  @Test func equalPagesGiveEqualText() { #expect(page().html == page().html) }
}
