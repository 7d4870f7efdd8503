import Flows

/// The code of the article PrivacyAccounting, block by block to the letter.
// swift-format-ignore
func privacyAccounting() throws -> (bounds: PrivacyBounds, order: Double, noise: Double, measured: Double) {
  // block 1
  let step = try SubsampledGaussian(rate: 0.01, noiseMultiplier: 1)
  let ledger = try PrivacyLedger(step, steps: 1_000)

  let moments = try RDPAccountant().epsilon(of: ledger, delta: 1e-5)
  print(moments.epsilon, moments.order)   // 2.1014 at order 7.8
  let losses = try PLDAccountant().epsilon(of: ledger, delta: 1e-5)
  print(losses.lower, losses.upper)       // 1.8282 on both sides
  // end
  // block 2
  let noise = try PLDAccountant().noiseMultiplier(epsilon: 3, delta: 1e-5, rate: 0.01, steps: 1_000)
  // end
  // block 3
  let source = NoiseSource.secret()
  let rows = source.poissonSample(rate: 0.01, of: 20_000)
  let draws = source.gaussians(100, deviation: noise)
  // end
  // block 4
  let present = source.gaussians(1_000, deviation: 2).map { $0 + 1 }   // noised sums, on the canary
  let absent = source.gaussians(1_000, deviation: 2)
  let audit = try CanaryAudit(delta: 1e-5, confidence: 0.95)
  let measured = try audit.lowerBound(present: present, absent: absent)
  // end
  precondition(draws.count == 100 && rows.count < 1_000)
  return (losses, moments.order, noise, measured)
}
