import Distributions
import Tensors

/// Targets that are distributions: their density integrates to 1 and their draws are its.
let targetRows: [DistributionRow] = [
  DistributionRow(name: "Banana", distribution: Banana(curvature: 0.3, variance: 4), inputDim: 2),
  DistributionRow(name: "Banana, context", distribution: Banana(), inputDim: 4, contextDim: 1),
  DistributionRow(name: "Funnel", distribution: Funnel(mean: 0.5, deviation: 1), inputDim: 3),
  DistributionRow(name: "WarpedGaussian", distribution: WarpedGaussian(), inputDim: 2),
  DistributionRow(name: "Cross", distribution: Cross(), inputDim: 2),
]
