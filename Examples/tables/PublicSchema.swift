import Flows

/// Levels and bounds that anybody knows without looking at the rows.
enum PublicSchema {
  static func of(_ name: String) -> TableSchema {
    switch name {
    case "diamonds":
      TableSchema(declaring: [
        .numbers("carat", in: 0.2...5, places: 2, isLogarithmic: true),
        .levels("cut", ["Fair", "Good", "Very Good", "Premium", "Ideal"]),
        .levels("color", ["D", "E", "F", "G", "H", "I", "J"]),
        .levels("clarity", ["I1", "SI2", "SI1", "VS2", "VS1", "VVS2", "VVS1", "IF"]),
        .numbers("depth", in: 40...80, places: 1), .numbers("table", in: 40...80, places: 1),
        .numbers("price", in: 300...20_000, places: 0, isLogarithmic: true),
        .numbers("x", in: 3...11, places: 2), .numbers("y", in: 3...11, places: 2),
        .numbers("z", in: 2...7, places: 2),
      ])
    case "penguins":
      TableSchema(declaring: [
        .levels("species", ["Adelie", "Chinstrap", "Gentoo"]),
        .levels("island", ["Biscoe", "Dream", "Torgersen"]),
        .numbers("bill_length_mm", in: 30...60, places: 1, missing: ""),
        .numbers("bill_depth_mm", in: 10...25, places: 1, missing: ""),
        .numbers("flipper_length_mm", in: 160...240, places: 0, missing: ""),
        .numbers("body_mass_g", in: 2_000...7_000, places: 0, missing: ""),
        .levels("sex", ["female", "male"], missing: ""), .levels("year", ["2007", "2008", "2009"]),
      ])
    default:
      TableSchema(declaring: [
        .levels("region", (1...12).map { "R\($0)" }), .levels("plan", ["basic", "plus", "pro"]),
        .numbers("age", in: 18...90, places: 0), .numbers("spend", in: 0.2...400, isLogarithmic: true),
        .levels("active", ["yes", "no"]), .numbers("score", in: 0...1, missing: ""),
        .numbers("visits", in: 0...30, places: 0),
      ])
    }
  }
}
