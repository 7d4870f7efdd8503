import Flows
import Foundation

/// Customers of a service: rows of seven mixed columns whose density is known.
///
/// Each column depends on the ones before it. The regions have shares 1/rank, and give the plan. The age is
/// 18 plus a binomial number of 72, by plan. The spending is log-normal, by plan and age. It says how
/// likely a customer is active. The score is the logistic function of a normal number, by activity. It is
/// missing in 30% of the rows with the first plan, and in 5% of the others. The visits are Poisson, by age.
enum KnownTable {
  private static let plans = ["basic", "plus", "pro"]
  private static let regions = 12

  /// One row; nil for a missing score.
  struct Row {
    var region = 0
    var plan = 0
    var age = 18
    var spend = 1.0
    var isActive = false
    var score: Double?
    var visits = 0

    /// The logarithm of the probability of its discrete values times the density of the others.
    var logDensity: Double {
      var sum = log(regionShares[region]) + log(planShares(region)[plan])
      sum += logBinomial(age - 18, 72, ageShare(plan))
      sum += logNormal(log(spend), spendMean(plan, age), 0.5) - log(spend)
      sum += log(isActive ? activeShare(spend) : 1 - activeShare(spend))
      let missing = missingShare(plan)
      if let score {
        sum += log(1 - missing) + logNormal(log(score / (1 - score)), scoreMean(isActive), 1)
        sum -= log(score * (1 - score))
      } else {
        sum += log(missing)
      }
      let rate = visitRate(age)
      return sum + Double(visits) * log(rate) - rate - lgamma(Double(visits) + 1)
    }

    var text: String {
      let score = score.map { "\($0)" } ?? ""
      return "R\(region + 1),\(plans[plan]),\(age),\(spend),\(isActive ? "yes" : "no"),\(score),\(visits)"
    }
  }

  static let header = "region,plan,age,spend,active,score,visits"

  /// Draws rows.
  static func draw(_ key: Key, count: Int) -> [Row] {
    let uniform = key.folded(in: 0).uniform([count, 77 + 40], dtype: .float64).doubles
    let normal = key.folded(in: 1).normal([count, 2], dtype: .float64).doubles
    return (0..<count).map { i in
      let u = Array(uniform[i * 117..<(i + 1) * 117])
      var row = Row()
      row.region = level(u[0], regionShares)
      row.plan = level(u[1], planShares(row.region))
      row.age = 18 + u[2..<74].count { $0 < ageShare(row.plan) }
      row.spend = exp(spendMean(row.plan, row.age) + 0.5 * normal[2 * i])
      row.isActive = u[74] < activeShare(row.spend)
      if u[75] >= missingShare(row.plan) {
        row.score = 1 / (1 + exp(-scoreMean(row.isActive) - normal[2 * i + 1]))
      }
      // Arrivals of a Poisson process in one unit of time.
      var time = 0.0
      for arrival in u[76...] {
        time -= log(1 - arrival) / visitRate(row.age)
        if time > 1 { break }
        row.visits += 1
      }
      return row
    }
  }

  private static let regionShares: [Double] = {
    let total = (1...regions).reduce(0) { $0 + 1 / Double($1) }
    return (1...regions).map { 1 / Double($0) / total }
  }()
  private static func planShares(_ region: Int) -> [Double] {
    region % 3 == 0 ? [0.6, 0.3, 0.1] : region % 3 == 1 ? [0.2, 0.6, 0.2] : [0.3, 0.1, 0.6]
  }
  private static func ageShare(_ plan: Int) -> Double { [0.2, 0.35, 0.5][plan] }
  private static func spendMean(_ plan: Int, _ age: Int) -> Double {
    [1.0, 2.0, 3.5][plan] + 0.02 * Double(age - 40)
  }
  private static func activeShare(_ spend: Double) -> Double { 1 / (1 + exp(2 - log(spend))) }
  private static func missingShare(_ plan: Int) -> Double { plan == 0 ? 0.3 : 0.05 }
  private static func scoreMean(_ isActive: Bool) -> Double { isActive ? 1.5 : -1 }
  private static func visitRate(_ age: Int) -> Double { exp(0.02 * Double(age)) }

  private static func level(_ uniform: Double, _ shares: [Double]) -> Int {
    var sum = 0.0
    for (i, share) in shares.enumerated() {
      sum += share
      if uniform < sum { return i }
    }
    return shares.count - 1
  }

  private static func logNormal(_ x: Double, _ mean: Double, _ deviation: Double) -> Double {
    let z = (x - mean) / deviation
    return -0.5 * z * z - log(deviation) - 0.5 * log(2 * Double.pi)
  }

  private static func logBinomial(_ k: Int, _ n: Int, _ p: Double) -> Double {
    let (k, n) = (Double(k), Double(n))
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * log(p) + (n - k) * log(1 - p)
  }
}
