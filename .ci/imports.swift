// Compares the imports of each target's files with the dependencies that Package.swift gives it; fails where
// they differ.
//
//     swift package describe --type json | swift .ci/imports.swift
import Foundation

struct Package: Decodable {
  struct Target: Decodable {
    let name, path, type: String
    let sources: [String]
    let dependencies: [String]?

    enum CodingKeys: String, CodingKey {
      case name, path, type, sources
      case dependencies = "target_dependencies"
    }
  }
  let targets: [Target]
}

let package = try JSONDecoder().decode(Package.self, from: FileHandle.standardInput.readDataToEndOfFile())
/// The package's modules by the names that files import them under.
let modules = Dictionary(
  // Libraries of the system belong to traits, which the description leaves out.
  uniqueKeysWithValues: package.targets.filter { $0.type != "system-target" }
    .map { ($0.name.replacing("-", with: "_"), $0.name) })
let importLine = try Regex<(Substring, Substring)>(
  #"^\s*(?:@\w+ )*(?:(?:public|package|internal|private|fileprivate) )?import (?:\w+ )?(\w+)"#)
let umbrella = "Flows"
var faults: [String] = []
var arrows = 0

for target in package.targets {
  let given = Set(target.dependencies ?? [])
  var imported: Set<String> = []
  for source in target.sources where source.hasSuffix(".swift") {
    let file = "\(target.path)/\(source)"
    for line in try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n") {
      let match = line.firstMatch(of: importLine)
      // It loads 60 MB of libraries before the first line of a program runs.
      if match?.1 == "Foundation", target.path.hasPrefix("Sources/") {
        faults.append("\(file) imports Foundation, which no part of the library needs")
      }
      guard let match, let module = modules[String(match.1)] else {
        continue
      }
      imported.insert(module)
      if !given.contains(module) {
        faults.append("\(file) imports \(module), which Package.swift does not give \(target.name)")
      }
      if line.contains("@_exported") && target.name != umbrella {
        faults.append("\(file) re-exports \(module), which only \(umbrella) does")
      }
    }
  }
  arrows += imported.count
  for module in given.subtracting(imported).sorted() {
    faults.append("Package.swift gives \(target.name) \(module), which none of its files imports")
  }
}
for fault in faults { print("error: \(fault)") }
print("\(package.targets.count) targets, \(arrows) dependencies, \(faults.count) faults")
// A description of nothing says that its format has changed, not that all is well.
exit(faults.isEmpty && arrows >= 50 ? 0 : 1)
