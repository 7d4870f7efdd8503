import Flows
import Foundation
import Testing

/// The catalogue's articles: their code is what stands compiled beside this file.
@Suite(.serialized) struct ArticleTests {
  static let here = URL(filePath: #filePath).deletingLastPathComponent()
  static let catalogue = here.appending(path: "../../Sources/Flows/Documentation.docc").standardized
  static let articles: [String] = {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: catalogue.path)) ?? []
    return files.filter { $0.hasSuffix(".md") }.map { String($0.dropLast(3)) }.sorted()
  }()

  private func lines(_ url: URL) throws -> [String] {
    try String(contentsOf: url, encoding: .utf8).components(separatedBy: "\n")
  }

  @Test(arguments: articles) func codeIsCompiledToTheLetter(article: String) throws {
    let text = try lines(ArticleTests.catalogue.appending(path: article + ".md"))
    let shown = text.indices.filter { text[$0] == "```swift" }.map { start in
      Array(text[(start + 1)...].prefix { $0 != "```" })
    }
    if shown.isEmpty { return }
    #expect(shown[0].starts(with: ["import Flows", ""]), "the first block imports the library")
    let file = try lines(ArticleTests.here.appending(path: article + ".swift"))
    let compiled = file.indices.filter { file[$0].hasPrefix("  // block ") }.map { start in
      file[(start + 1)...].prefix { $0 != "  // end" }.map { $0.isEmpty ? "" : String($0.dropFirst(2)) }
    }
    #expect(shown.count == compiled.count)
    for (i, (a, b)) in zip(shown, compiled).enumerated() {
      #expect((i == 0 ? Array(a.dropFirst(2)) : a) == b, "block \(i + 1)")
    }
  }

  @Test func everyArticleIsInTheTableOfContents() throws {
    let contents = try lines(ArticleTests.catalogue.appending(path: "Documentation.md")).joined(
      separator: "\n")
    #expect(ArticleTests.articles.count >= 12)
    for article in ArticleTests.articles where article != "Documentation" {
      #expect(contents.contains("- <doc:\(article)>"), "\(article)")
    }
  }

  @Test func everyPublicTypeHasATopic() throws {
    let sources = ArticleTests.here.appending(path: "../../Sources").standardized
    let contents = try lines(ArticleTests.catalogue.appending(path: "Documentation.md"))
    let programs = ["Arguments", "FlowCommand", "CInterface"]
    var types: Set<String> = []
    for room in try FileManager.default.contentsOfDirectory(atPath: sources.path)
    where !programs.contains(room) {
      let files = FileManager.default.enumerator(
        at: sources.appending(path: room), includingPropertiesForKeys: nil)
      while let file = files?.nextObject() as? URL {
        guard file.pathExtension == "swift" else { continue }
        let text = try String(contentsOf: file, encoding: .utf8)
        let declaration = /(?m)^public (?:final )?(?:struct|enum|class|actor|protocol|typealias) (\w+)/
        for match in text.matches(of: declaration) { types.insert(String(match.1)) }
      }
    }
    #expect(types.count >= 290)
    let missing = types.filter { !contents.contains("- ``\($0)``") }
    #expect(missing.isEmpty, "no topic in Documentation.md: \(missing.sorted())")
  }

  @Test func everyLayerIsInTheTableOfLogDeterminants() throws {
    let sources = ArticleTests.here.appending(path: "../../Sources").standardized
    let files = try #require(FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil))
    var layers: Set<String> = []
    for case let file as URL in files where file.pathExtension == "swift" {
      let text = try String(contentsOf: file, encoding: .utf8)
      let declaration =
        /(?:public struct|extension) (\w+)[^{\n]*:[^{\n]*\b(?:Bijection|\w*Transformer)\b[^{]*\{/
      for match in text.matches(of: declaration) { layers.insert(String(match.1)) }
    }
    #expect(layers.count >= 35)
    let table = try lines(ArticleTests.catalogue.appending(path: "LogDeterminants.md"))
    for layer in layers.sorted() {
      #expect(
        table.contains { $0.hasPrefix("| ``\(layer)`` |") }, "\(layer) has no row in LogDeterminants.md")
    }
  }

  /// Every program of the package, the benchmarks and the command among them, is told of where a reader
  /// looks.
  @Test func everyProgramIsInTheDocumentation() throws {
    let root = ArticleTests.here.appending(path: "../..").standardized
    let folders = try FileManager.default.contentsOfDirectory(atPath: root.appending(path: "Examples").path)
    let examples = folders.filter { $0 != "Support" && !$0.hasPrefix(".") }
    #expect(examples.count >= 10)
    let article = try lines(ArticleTests.catalogue.appending(path: "Examples.md"))
    for name in examples + ["benchmarks", "flow"] {
      #expect(article.contains { $0.hasPrefix("| `\(name)` |") }, "\(name) has no row in Examples.md")
    }
  }

  /// A public symbol without a doc comment: the documentation's build finds them too, from the compiler's
  /// symbols; this one without building.
  @Test func everyPublicSymbolHasADocComment() throws {
    let sources = ArticleTests.here.appending(path: "../../Sources").standardized
    let files = try #require(FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil))
    let declaration =
      #/
      ^\s*(@\w+(\([^)]*\))?\ )*(static\ |final\ |indirect\ |mutating\ |prefix\ |nonisolated\ )*
      public\ (?!import|extension)(\(set\))?
      /#
    // The C interface is documented by its header.
    let texts = try files.compactMap { $0 as? URL }
      .filter { $0.pathExtension == "swift" && !$0.path.contains("/CInterface/") }
      .map { (file: $0, text: try lines($0)) }
    // A requirement of a protocol is documented there, and what implements it inherits that.
    let requirements = Set(texts.flatMap { ArticleTests.requirements(in: $0.text) })
    var missing: [String] = []
    for (file, text) in texts {
      for (i, line) in text.enumerated() where line.firstMatch(of: declaration) != nil {
        if line.contains("public extension") { continue }
        if let name = line.firstMatch(of: /(?:func|var|let) (\w+)/)?.1, requirements.contains(String(name)) {
          continue
        }
        // Attributes and build conditions may stand between.
        let above = text[..<i].last { line in
          let plain = line.trimmingCharacters(in: .whitespaces)
          return !plain.hasPrefix("@") && !plain.hasPrefix("#if")
        }
        if above?.trimmingCharacters(in: .whitespaces).hasPrefix("///") != true {
          missing.append("\(file.lastPathComponent):\(i + 1):\(line)")
        }
      }
    }
    #expect(missing.isEmpty, "\(missing.joined(separator: "\n"))")
  }

  /// The names that a file's public protocols require.
  private static func requirements(in text: [String]) -> [String] {
    var (names, isInside): ([String], Bool) = ([], false)
    for line in text {
      if line.hasPrefix("public protocol ") { isInside = true }
      if line.hasPrefix("}") { isInside = false }
      if isInside, let name = line.firstMatch(of: /^ +(?:func|var) (\w+)/)?.1 { names.append(String(name)) }
    }
    return names
  }

  // MARK: - What the articles say, done

  /// The code of one article needs a plugin, which the environment variable names.
  @Test(.enabled(if: ProcessInfo.processInfo.environment[PJRTPlugin.variable] != nil)) func theyRunOnXLA()
    throws
  {
    let path = try #require(ProcessInfo.processInfo.environment[PJRTPlugin.variable])
    let result = try runningOnXLA(path: path, data: Key(8).normal([600, 2]))
    #expect(result.loss > 2 && result.loss < 4 && abs(result.mean.item + result.loss) < 0.5)
    #expect(result.gram.shape == [2, 2] && result.rows.shape == [10_000, 2])
  }

  /// These write files where they stand.
  @Test func theyRunWithFiles() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "flows-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let home = FileManager.default.currentDirectoryPath
    #expect(FileManager.default.changeCurrentDirectoryPath(folder.path))
    defer {
      _ = FileManager.default.changeCurrentDirectoryPath(home)
      try? FileManager.default.removeItem(at: folder)
    }
    let start = try gettingStarted()
    #expect(start.logDensity.isIdentical(to: start.again) && start.draws.shape == [500, 2])
    // A parabola's second column is not negative but for the noise, and its mean is 1.
    #expect(abs(start.draws.mean(axis: 0).doubles[1] - 1) < 0.4)
    #expect(start.byHand.close < 1e-3 && start.byHand.gain > 0.1)
    #expect(start.byHand.points.shape == [1_000, 2] && start.byHand.scores.shape == [1_000])

    let notebook = try notebookOfScripts()
    #expect(notebook.kept.params.isIdentical(to: notebook.fitted.params))
    #expect(notebook.html.contains("<pre>epoch 5: ") && notebook.html.contains("<img "))
    let rates = try learningRates()
    #expect([rates.searched, rates.last].allSatisfy { $0.history.last!.validationLoss!.isFinite })
    #expect(try #require(rates.suggestion) > 1e-4)

    let rows = Key(3).normal([300, 2])
    var settings = FitSettings(rows: 300)
    (settings.steps, settings.folds) = (20, 1)
    #expect(try choosingAFlow(prices: exp(rows), settings: settings).shape == [300])
    try NPY.write(rows, to: "rows.npy")
    try performance(path: "rows.npy")

    let simulated = try simulationBasedInference(simulations: 60, epochs: 2, pairs: 10)
    #expect(
      simulated.draws.map(\.rows) == [1_000, 500, 500, 500, 500, 500, 500] && simulated.scores.isFinite)
    #expect(simulated.rHat <= 1.02 && simulated.deviation.isFinite && simulated.pValue <= 1)

    try CSV(names: ["weight", "height"], values: rows).write(to: "table.csv")
    let preset = Flow.realNVP(layers: 2, hidden: [8])
    let (params, _, _) = try Flow(Serial(Standardize(of: rows), preset.bijection), prior: preset.prior)(
      Key(4), inputDim: 2)
    try SafeTensors(params, metadata: ["architecture": "realnvp"]).write(to: "model.safetensors")
    let first = rows.sliced(axis: 1, 0..<1)
    let curve = concatenate(first, square(first) - 1, axis: 1)
    let known = try uncertainty((curve + 0.3 * Key(9).normal([300, 2]))[0..<100])
    #expect(known.members == [5, 50, 50, 50, 5])
    #expect(
      (known.ensemble - known.single).mean().item > 0 && known.parts.epistemic.doubles.allSatisfy { $0 > 0 })
    #expect((known.band.upper .>= known.band.lower).mean().item == 1)
    let files = try filesAndTheCommand(path: "table.csv", model: "model.safetensors")
    #expect(files.rows.dtype == .float64 && files.rows.shape == [300, 2] && files.scores.isFinite)
  }
}
