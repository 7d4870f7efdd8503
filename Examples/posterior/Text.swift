import Foundation

/// A number with a fixed count of decimals.
func decimals(_ x: Double, _ count: Int) -> String { String(format: "%.\(count)f", x) }

/// A text of a fixed width.
func column(_ text: String, _ width: Int) -> String {
  text.padding(toLength: width, withPad: " ", startingAt: 0)
}
