import Plots
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

  @Test func equalPagesGiveEqualText() { #expect(page().html == page().html) }
}
