// swift-tools-version: 6.2
import PackageDescription

/// A room of the house. Imports run downwards only: a target may name those listed above it.
func room(_ name: String, on dependencies: [Target.Dependency]) -> Target {
  .target(name: name, dependencies: dependencies)
}

/// A room's tests; its fixtures are read from the source tree.
func suite(_ name: String, on dependencies: [Target.Dependency], fixtures: Bool = false) -> Target {
  .testTarget(
    name: "\(name)Tests", dependencies: dependencies + ["TestSupport"], exclude: fixtures ? ["Fixtures"] : [])
}

/// A program that shows something, with the data that it reads.
func example(_ name: String, data: [String] = []) -> Target {
  .executableTarget(
    name: name, dependencies: ["Flows", "Arguments", "ExampleSupport"], path: "Examples/\(name)",
    resources: data.map { .copy($0) })
}

let package = Package(
  name: "swift-flows",
  platforms: [.macOS(.v15)],  // Linux is what is tested.
  products: [
    .library(name: "Flows", targets: ["Flows"]),
    .executable(name: "flow", targets: ["flow"]),
  ],
  dependencies: [],
  targets: [
    // MARK: - Library
    .target(name: "CKernels"),
    room("Tensors", on: ["CKernels"]),
    room("Randomness", on: ["CKernels", "Tensors"]),
    room("Files", on: ["Tensors"]),
    room("Plots", on: ["Tensors", "Files"]),
    room("Networks", on: ["Tensors", "Randomness"]),
    room("Bijections", on: ["Tensors", "Randomness", "Networks"]),
    room("Distributions", on: ["Tensors", "Randomness", "Bijections"]),
    room("Training", on: ["CKernels", "Tensors", "Randomness", "Files", "Distributions"]),
    room("Verification", on: ["Tensors", "Randomness", "Bijections", "Training"]),
    room(
      "Flows",
      on: [
        "Tensors", "Randomness", "Files", "Plots", "Networks", "Bijections", "Distributions",
        "Training", "Verification",
      ]),

    // MARK: - Programs
    room("Arguments", on: []),
    .executableTarget(
      name: "flow", dependencies: ["Flows", "Arguments"], path: "Sources/FlowCommand"),
    .target(name: "ExampleSupport", dependencies: ["Flows"], path: "Examples/Support"),
    example("digits", data: ["digits.csv"]),
    example("two-moons"), example("neural-spline"), example("banana"),
    example("tabular", data: ["breast_cancer.csv", "wine.csv"]),
    example("posterior", data: ["breast_cancer.csv"]),
    example("glow-digits"), example("inpainting"), example("linear-inverse"), example("gauss-newton"),
    .executableTarget(
      name: "benchmarks", dependencies: ["Flows", "Arguments"], path: "Benchmarks",
      exclude: ["README.md", "peers", "compare", "scale", "smoke", "figures"]),

    // MARK: - Tests
    .target(name: "TestSupport", dependencies: ["Tensors"], path: "Tests/TestSupport"),
    .target(name: "FuzzSupport", dependencies: ["Tensors", "Files"], path: "Tests/FuzzSupport"),
    .executableTarget(name: "fuzz", dependencies: ["FuzzSupport", "Arguments"], path: "Tests/Fuzz"),
    .target(name: "SameBits", dependencies: ["CKernels", "Flows"], path: "Tests/SameBits"),
    .executableTarget(name: "same-bits", dependencies: ["Flows", "SameBits"], path: "Tests/SameBitsProgram"),
    suite("CKernels", on: ["CKernels"]),
    suite("Tensors", on: ["Tensors"]),
    suite("Randomness", on: ["Randomness"], fixtures: true),
    suite("Files", on: ["Files", "Plots", "FuzzSupport"], fixtures: true),
    suite("Flows", on: ["Flows", "SameBits"], fixtures: true),
    suite("Documentation", on: ["Flows"]),
    suite("FlowCommand", on: ["Flows", "Arguments", "flow"]),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .c17
)
