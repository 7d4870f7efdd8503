// swift-tools-version: 6.2
import PackageDescription

/// Members are seen only where their module is imported, so a file's imports are what it stands on.
let settings: [SwiftSetting] = [.enableUpcomingFeature("MemberImportVisibility")]

/// A module of the library. Imports run downwards only: a module may name those listed above it.
func room(_ name: String, on dependencies: [Target.Dependency], path: String? = nil) -> Target {
  .target(name: name, dependencies: dependencies, path: path, swiftSettings: settings)
}

/// A module's tests; its fixtures are read from the source tree.
func suite(_ name: String, on dependencies: [Target.Dependency], fixtures: Bool = false) -> Target {
  .testTarget(
    name: "\(name)Tests", dependencies: dependencies, exclude: fixtures ? ["Fixtures"] : [],
    swiftSettings: settings)
}

/// A program that is no part of the library.
func program(
  _ name: String, on dependencies: [Target.Dependency], path: String, exclude: [String] = [],
  data: [String] = []
) -> Target {
  .executableTarget(
    name: name, dependencies: dependencies, path: path, exclude: exclude, resources: data.map { .copy($0) },
    swiftSettings: settings)
}

/// A program that shows something, with the data that it reads.
func example(_ name: String, on others: [Target.Dependency] = [], data: [String] = []) -> Target {
  program(name, on: ["Flows", "ExampleSupport"] + others, path: "Examples/\(name)", data: data)
}

let package = Package(
  name: "swift-flows",
  platforms: [.macOS(.v15)],  // Linux is what is tested.
  products: [
    .library(name: "Flows", targets: ["Flows"]),
    .library(name: "FlowsC", type: .dynamic, targets: ["FlowsC"]),
    .executable(name: "flow", targets: ["flow"]),
    .library(name: "MPI", targets: ["MPI"]),
  ],
  traits: [
    .trait(name: "MPI", description: "Fits on many machines, by a library of MPI that is installed."),
    .default(enabledTraits: []),
  ],
  dependencies: [],
  targets: [
    // MARK: - Library
    .target(name: "CKernels"),
    room("Tensors", on: ["CKernels"]),
    room("Privacy", on: ["CKernels"]),
    room("Randomness", on: ["CKernels", "Tensors"]),
    room("Files", on: ["Tensors"]),
    room("Plots", on: ["Tensors", "Files"]),
    room("Networks", on: ["CKernels", "Tensors", "Randomness"]),
    room("Integration", on: ["Tensors"]),
    room("StableHLO", on: ["Tensors"]),
    room("PJRT", on: ["Tensors", "Files", "StableHLO"]),
    room("Bijections", on: ["CKernels", "Tensors", "Randomness", "Networks", "Integration"]),
    room("Distributions", on: ["Tensors", "Randomness", "Networks", "Integration", "Bijections"]),
    room(
      "Training",
      on: [
        "CKernels", "Tensors", "Privacy", "Randomness", "Files", "Plots", "Networks", "Integration",
        "StableHLO", "PJRT", "Bijections", "Distributions",
      ]),
    room(
      "Tables",
      on: [
        "Tensors", "Privacy", "Randomness", "Files", "Networks", "Bijections", "Distributions", "Training",
      ]),
    room("Export", on: ["Tensors", "Randomness", "Files", "StableHLO", "Bijections", "Distributions"]),
    room("Verification", on: ["Tensors", "Randomness", "Bijections", "Training"]),
    room(
      "FittedModels",
      on: [
        "Tensors", "Randomness", "Files", "Networks", "Integration", "PJRT", "Bijections", "Distributions",
        "Training", "Tables",
      ]),
    room(
      "Inference",
      on: [
        "Tensors", "Randomness", "Files", "Plots", "Networks", "Bijections", "Distributions", "Training",
      ]),
    room(
      "Flows",
      on: [
        "Tensors", "Privacy", "Randomness", "Files", "Plots", "Networks", "Integration", "StableHLO",
        "PJRT", "Bijections", "Distributions", "Training", "Tables", "Export", "Verification", "Inference",
      ]),
    .systemLibrary(
      name: "CMPI", pkgConfig: "mpi-c", providers: [.apt(["libopenmpi-dev"]), .brew(["open-mpi"])]),
    room("MPI", on: ["Tensors", "Training", .target(name: "CMPI", condition: .when(traits: ["MPI"]))]),

    // MARK: - The C interface
    .target(
      name: "FlowsC", dependencies: ["Tensors", "Randomness", "Files", "FittedModels"],
      path: "Sources/CInterface", exclude: ["include"], swiftSettings: settings),

    // MARK: - Programs
    room("Arguments", on: []),
    program("flow", on: ["Flows", "FittedModels", "MPI", "Arguments"], path: "Sources/FlowCommand"),
    room("ExampleSupport", on: ["Files", "Flows", "Arguments"], path: "Examples/Support"),
    example("digits", data: ["digits.csv"]), example("two-moons"),
    example("glow-digits", on: ["Arguments"]), example("inpainting"),
    example("neural-spline", on: ["Arguments"]), example("banana", on: ["Arguments"]),
    example("tabular", on: ["Arguments"], data: ["breast_cancer.csv", "wine.csv"]),
    example("posterior", on: ["Arguments"], data: ["breast_cancer.csv"]),
    example("continuous", on: ["Arguments"]), example("labels", on: ["Arguments"]),
    example("tables", on: ["Arguments"], data: ["diamonds.csv.gz", "penguins.csv"]),
    example("linear-inverse", on: ["Arguments"]), example("gauss-newton", on: ["Arguments"]),
    example("hadronization", on: ["Arguments"]), example("sbi-benchmark", on: ["Arguments"]),
    program(
      "benchmarks", on: ["Files", "Flows", "Arguments"], path: "Benchmarks",
      exclude: [
        "README.md", "peers", "quality", "tables", "budget", "compare", "counts", "counts-test", "device",
        "inflate", "map", "ranks", "smoke", "figures",
      ]),
    program("arrangements", on: ["Flows", "Arguments"], path: "Benchmarks/quality/arrangements"),

    // MARK: - Tests
    room("TestSupport", on: ["Tensors", "PJRT"], path: "Tests/TestSupport"),
    room("FuzzSupport", on: ["Tensors", "Files"], path: "Tests/FuzzSupport"),
    program("fuzz", on: ["FuzzSupport", "Arguments"], path: "Tests/Fuzz"),
    room("SameBits", on: ["CKernels", "Flows"], path: "Tests/SameBits"),
    program("same-bits", on: ["Flows", "SameBits"], path: "Tests/SameBitsProgram"),
    suite("CKernels", on: ["CKernels"]),
    suite("Tensors", on: ["Tensors", "TestSupport"], fixtures: true),
    suite("Privacy", on: ["CKernels", "Privacy"], fixtures: true),
    suite("Randomness", on: ["Tensors", "Randomness"], fixtures: true),
    suite("Files", on: ["Tensors", "Files", "FuzzSupport"], fixtures: true),
    suite("Plots", on: ["Tensors", "Files", "Plots", "FuzzSupport", "TestSupport"]),
    suite(
      "Networks", on: ["CKernels", "Tensors", "Randomness", "Networks", "Verification", "TestSupport"],
      fixtures: true),
    suite("Integration", on: ["Tensors", "Integration"]),
    suite("StableHLO", on: ["Tensors", "StableHLO"]),
    suite("PJRT", on: ["Tensors", "StableHLO", "PJRT", "TestSupport"]),
    suite(
      "Bijections",
      on: [
        "Tensors", "Randomness", "Files", "Networks", "Integration", "StableHLO", "Bijections",
        "Distributions", "Verification", "TestSupport",
      ],
      fixtures: true),
    suite(
      "Distributions",
      on: [
        "Tensors", "Randomness", "Plots", "Networks", "Integration", "Bijections", "Distributions",
        "Verification", "TestSupport",
      ], fixtures: true),
    suite(
      "Training",
      on: [
        "Tensors", "Privacy", "Randomness", "Files", "Plots", "Networks", "Integration", "PJRT", "Bijections",
        "Distributions", "Training", "Verification", "TestSupport",
      ], fixtures: true),
    suite(
      "Tables",
      on: [
        "Tensors", "Privacy", "Randomness", "Files", "Bijections", "Distributions", "Training", "Tables",
        "Verification",
      ], fixtures: true),
    suite(
      "Export",
      on: [
        "Tensors", "Randomness", "Files", "Networks", "Integration", "StableHLO", "Bijections",
        "Distributions", "Export", "Verification",
      ]),
    suite("Verification", on: ["Tensors", "Randomness", "Bijections", "Verification"]),
    suite(
      "Inference",
      on: [
        "Tensors", "Randomness", "Files", "Plots", "Networks", "Bijections", "Distributions", "Training",
        "Inference", "Flows", "ExampleSupport",
      ], fixtures: true),
    suite("Flows", on: ["Randomness", "Flows", "SameBits", "TestSupport"], fixtures: true),
    suite("Documentation", on: ["Flows"]),
    suite("Foundation", on: ["Flows", "TestSupport"]),
    suite("FlowCommand", on: ["Flows", "FittedModels", "FlowsC", "Arguments", "flow", "TestSupport"]),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .c17
)
