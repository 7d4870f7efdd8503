import Tensors

/// A colour map: assigns a colour to each number from 0 to 1.
public struct ColorMap: Sendable, Hashable {
  /// The colours at equally spaced numbers, as 0xRRGGBB. The map is linear between them.
  private let stops: [UInt32]

  /// Interpolates linearly between colours, 0xRRGGBB each, at equally spaced numbers from 0 to 1.
  ///
  /// - Precondition: at least two colours.
  public init(_ stops: [UInt32]) {
    require(stops.count >= 2, "a color map needs at least two colors, got \(stops.count)")
    self.stops = stops
  }

  /// The colour of a number as red, green and blue.
  ///
  /// Numbers outside 0 to 1 take the colour of the nearer end; NaN takes that of 0.
  public func rgb(at fraction: Double) -> (red: UInt8, green: UInt8, blue: UInt8) {
    let clamped = fraction > 0 ? min(fraction, 1) : 0
    let place = clamped * Double(stops.count - 1)
    let lower = min(Int(place), stops.count - 2)
    let weight = place - Double(lower)
    func channel(_ shift: UInt32) -> UInt8 {
      let (a, b) = (Double(stops[lower] >> shift & 0xFF), Double(stops[lower + 1] >> shift & 0xFF))
      return UInt8((a + (b - a) * weight).rounded())
    }
    return (channel(16), channel(8), channel(0))
  }

  /// A perceptually uniform map from dark violet over blue and green to yellow, readable in grey too.
  ///
  /// The map is a path through OKLCh with lightness 0.25 + 0.68 t and hue 300° − 195° t. Its chroma is
  /// 0.1 + 0.055 sin πt + 0.06 t³, reduced where sRGB has less.
  public static let dusk = ColorMap([
    0x2A1049, 0x2C1D5F, 0x282B73, 0x1B3C86, 0x004E8D, 0x025F8C, 0x026F8F, 0x037F93, 0x068E97,
    0x049E99, 0x05AF97, 0x06C08E, 0x46CE7F, 0x7ED872, 0xAAE068, 0xD2E761, 0xF8ED60,
  ])

  /// A linear map from black to white.
  public static let gray = ColorMap([0x000000, 0xFFFFFF])

  /// A linear map from white to black.
  public static let ink = ColorMap([0xFFFFFF, 0x000000])
}
