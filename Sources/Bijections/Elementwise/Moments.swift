import Tensors

/// The mean and the population variance of each channel.
struct Moments {
  let mean: Tensor
  let variance: Tensor

  init(mean: Tensor, variance: Tensor) { (self.mean, self.variance) = (mean, variance) }
  init(of x: Tensor) {
    let channels = x.reshaped(to: [x.count / x.shape[-1], x.shape[-1]])
    mean = channels.mean(axis: 0)
    variance = square(channels - mean).mean(axis: 0)
  }
}
