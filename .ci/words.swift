// Lists prose that is hard to read in comments and articles; fails where rule a, b or c lists anything.
//
//     words [--repeats] [PATH...]       default: Sources Examples Benchmarks
//
// a: a sentence of more than 30 words.
// b: a noun clause with "what" (or "how", "where", "which", "why" at the start of a sentence).
// c: a line of prose beyond column 110.
// d: a public doc comment that only repeats its declaration; `--repeats` lists these, which are guesses.
import Foundation

let mostWords = 30
let mostColumns = 110

/// One line of prose, without its comment marker.
struct Line {
  let text: String
  let number: Int
}

/// Adjacent lines of prose, and the declaration below them.
struct Block {
  var lines: [Line]
  var marker: String
  var declaration = ""
}

struct Word {
  let text: String
  let line: Int

  /// Code counts as one word; operators and variables of a formula as none.
  var counts: Bool {
    let letters = text.filter(\.isLetter)
    return letters.count > 1 || text.contains("`") || letters == "a" || letters == "A" || letters == "I"
  }
  /// The word in lower case without the punctuation around it.
  var bare: String {
    let isEdge = { (character: Character) in !character.isLetter && !character.isNumber && character != "`" }
    return String(text.drop(while: isEdge).reversed().drop(while: isEdge).reversed()).lowercased()
  }
}

// MARK: - From files to blocks

/// The blocks of comments of a Swift or C file.
func comments(in source: [String]) -> [Block] {
  var blocks: [Block] = []
  var inBlockComment = false
  var inLongString = false
  var pending: Block?
  func close(_ next: String = "") {
    if var block = pending {
      block.declaration = next
      blocks.append(block)
      pending = nil
    }
  }
  func add(_ text: String, _ number: Int, marker: String, wholeLine: Bool) {
    if let last = pending, last.marker == marker, wholeLine, last.lines.last?.number == number - 1 {
      pending?.lines.append(Line(text: text, number: number))
    } else {
      close()
      pending = Block(lines: [Line(text: text, number: number)], marker: marker)
    }
    if !wholeLine { close() }
  }

  for (index, line) in source.enumerated() {
    let number = index + 1
    if inBlockComment {
      let end = line.range(of: "*/")
      inBlockComment = end == nil
      let text = String(line[..<(end?.lowerBound ?? line.endIndex)])
      let isStarred = text.drop(while: \.isWhitespace).hasPrefix("*")
      let body = isStarred ? text.drop(while: \.isWhitespace).dropFirst() : text.dropFirst(2)
      add(String(body), number, marker: "/*", wholeLine: true)
      continue
    }
    let longQuotes = line.components(separatedBy: "\"\"\"").count - 1
    let startsInLongString = inLongString
    if !longQuotes.isMultiple(of: 2) { inLongString.toggle() }
    if startsInLongString { continue }
    guard let start = commentStart(line) else {
      let code = line.trimmingCharacters(in: .whitespaces)
      if let block = pending, code.hasPrefix("@"), !code.contains(" func ") {
        pending?.lines[block.lines.count - 1] = Line(text: block.lines.last?.text ?? "", number: number)
        continue
      }
      close(declaration(in: source, from: index))
      continue
    }
    let wholeLine = line[..<start].allSatisfy(\.isWhitespace)
    let comment = line[start...]
    if comment.hasPrefix("/*") {
      let body = comment.dropFirst(2).drop { $0 == "*" }
      if let end = body.range(of: "*/") {
        add(String(body[..<end.lowerBound]), number, marker: "/*", wholeLine: false)
      } else {
        inBlockComment = true
        add(String(body), number, marker: "/*", wholeLine: true)
      }
    } else {
      let marker = comment.hasPrefix("///") ? "///" : "//"
      add(String(comment.dropFirst(marker.count)), number, marker: marker, wholeLine: wholeLine)
    }
  }
  close()
  return blocks
}

/// The first `//` or `/*` that no string literal on the line holds.
func commentStart(_ line: String) -> String.Index? {
  var inString = false
  var previous: Character = " "
  for index in line.indices {
    let character = line[index]
    if character == "\"", previous != "\\" { inString.toggle() }
    if !inString, character == "/" {
      let next = line.index(after: index)
      if next < line.endIndex, line[next] == "/" || line[next] == "*", previous != ":" { return index }
    }
    previous = previous == "\\" ? " " : character
  }
  return nil
}

/// The declaration that begins at `index`, up to its body.
func declaration(in source: [String], from index: Int) -> String {
  var text = ""
  for line in source[index..<min(index + 6, source.count)] {
    text += line.trimmingCharacters(in: .whitespaces) + " "
    if line.contains("{") || line.allSatisfy(\.isWhitespace) { break }
  }
  return text
}

/// An article as one block.
func article(in source: [String]) -> [Block] {
  [Block(lines: source.enumerated().map { Line(text: $1, number: $0 + 1) }, marker: "")]
}

// MARK: - From blocks to sentences

let directives = ["MARK:", "swift-format-ignore", "swift-tools-version", "NOLINT", "clang-format"]

/// The paragraphs, list items and cells of tables of a block; code and headings are left out.
func paragraphs(_ block: Block) -> [[Line]] {
  var result: [[Line]] = []
  var current: [Line] = []
  var inFence = false
  var inList = false
  func close() {
    if !current.isEmpty { result.append(current) }
    current = []
  }
  for line in block.lines {
    let text = line.text.trimmingCharacters(in: .whitespaces)
    let indentation = line.text.prefix { $0 == " " }.count
    if text.hasPrefix("```") {
      close()
      inFence.toggle()
    } else if inFence {
      continue
    } else if text.isEmpty {
      close()
      inList = false
    } else if text.hasPrefix("#") || text.hasPrefix("@") || directives.contains(where: text.hasPrefix) {
      close()
    } else if isTableRow(text) {
      close()
      result += text.split(separator: "|").map { [Line(text: String($0), number: line.number)] }
    } else if let item = listItem(text) {
      close()
      inList = true
      current = [Line(text: item, number: line.number)]
    } else if indentation >= 4 + (block.marker.isEmpty ? 0 : 1), !inList, current.isEmpty {
      continue
    } else {
      current.append(Line(text: text, number: line.number))
    }
  }
  close()
  return result
}

/// The text of a list item without its marker and without a name before a colon, as in `- Parameter x: text`.
func listItem(_ text: String) -> String? {
  let parts = text.split(separator: " ", maxSplits: 1)
  guard parts.count == 2, ["-", "*", "+"].contains(parts[0]) || isNumbering(parts[0]) else { return nil }
  let words = parts[1].split(separator: " ")
  if let end = words.prefix(2).firstIndex(where: { $0.hasSuffix(":") }), end == 0 || words[0] == "Parameter" {
    return words[(end + 1)...].joined(separator: " ")
  }
  return String(parts[1])
}

func isTableRow(_ text: String) -> Bool {
  // A link to a symbol cannot be broken either.
  text.hasPrefix("|") && text.hasSuffix("|") && text.count > 2 || text.hasPrefix("- ``")
}

func isNumbering(_ text: Substring) -> Bool {
  text.count < 4 && text.hasSuffix(".") && text.dropLast().allSatisfy(\.isNumber) && text.count > 1
}

/// The words of a paragraph: a code span is one word, a link is its text.
func words(_ lines: [Line]) -> [Word] {
  var result: [Word] = []
  for line in lines {
    var word = ""
    var inCode = false
    var inTarget = false
    var previous: Character = " "
    for character in line.text {
      if character == "`", previous != "`" { inCode.toggle() }
      if character == "(", previous == "]", !inCode { inTarget = true }
      if inTarget {
        inTarget = character != ")"
      } else if character == " ", !inCode {
        if !word.isEmpty { result.append(Word(text: word, line: line.number)) }
        word = ""
      } else {
        word.append(character == " " ? "_" : character)
      }
      previous = character
    }
    if !word.isEmpty { result.append(Word(text: word, line: line.number)) }
  }
  return result
}

let abbreviations: Set<String> = [
  "e.g.", "i.e.", "eq.", "eqs.", "al.", "fig.", "sec.", "cf.", "vs.", "no.", "p.", "pp.", "app.", "alg.",
  "ch.", "vol.",
]

/// A paragraph's words, cut after the full stops, question marks and exclamation marks that end a sentence.
func sentences(_ words: [Word]) -> [ArraySlice<Word>] {
  var result: [ArraySlice<Word>] = []
  var start = 0
  for index in words.indices {
    let isLast = index == words.count - 1
    guard isLast || endsSentence(words[index].text, before: words[index + 1].text) else { continue }
    result.append(words[start...index])
    start = index + 1
  }
  return result
}

func endsSentence(_ word: String, before next: String) -> Bool {
  let core = word.reversed().drop { ")\"'”*_".contains($0) }
  guard let end = core.first, ".!?".contains(end), let first = next.first else { return false }
  let plain = word.lowercased().drop { "([\"".contains($0) }
  let isInitial = word.count == 2 && word.first?.isUppercase == true
  if abbreviations.contains(String(plain)) || isInitial { return false }
  return !first.isLowercase || next.count == 1
}

// MARK: - The rules

let beforeNounClause: Set<String> = [
  "about", "after", "against", "and", "around", "are", "as", "at", "be", "before", "behind", "beyond", "but",
  "by", "for",
  "from", "in", "into", "is", "like", "of", "on", "or", "over", "per", "than", "through", "to", "under",
  "until", "upon",
  "was", "were", "with", "within", "without",
  "does", "do", "give", "gives", "has", "have", "hold", "holds", "keep", "keeps", "return", "returns", "take",
  "takes",
]

/// The words of rule a: of a citation only those in lower case, since names and titles are no prose.
func count(_ sentence: ArraySlice<Word>) -> Int {
  let isCitation = sentence.contains { $0.text.contains("arXiv") || $0.text.contains("doi.org") }
  return sentence.filter { $0.counts && (!isCitation || $0.text.first?.isLowercase == true) }.count
}

/// The word that begins a noun clause, or nil.
func nounClause(_ sentence: ArraySlice<Word>) -> Word? {
  guard sentence.count > 1, let first = sentence.first, sentence.last?.text.contains("?") != true else {
    return nil
  }
  if ["what", "how", "why"].contains(first.bare) { return first }
  if first.text.first?.isUppercase == true {
    if first.bare == "which" { return first }
    if first.bare == "where", !sentence.contains(where: { $0.text.hasSuffix(",") }) { return first }
  }
  for (previous, word) in zip(sentence, sentence.dropFirst()) where word.bare == "what" {
    if let end = previous.text.last, ":;,—–-(".contains(end) { return word }
    if word.text.hasPrefix("(") || beforeNounClause.contains(previous.bare) { return word }
  }
  for (previous, word) in zip(sentence, sentence.dropFirst())
  where ["how", "which", "why"].contains(word.bare) {
    if let end = previous.text.last, ":—–".contains(end) { return word }
  }
  return nil
}

let fillers: Set<String> = [
  "the", "a", "an", "of", "and", "or", "its", "this", "for", "in", "with", "to", "one", "two", "three", "by",
  "as", "on",
  "all", "each", "at", "their", "it", "that", "from",
]

/// Whether every word of a public symbol's first sentence stands in its declaration already.
func repeats(_ sentence: ArraySlice<Word>, _ declaration: String) -> Bool {
  guard declaration.contains("public ") else { return false }
  var names = ""
  for character in declaration.prefix(while: { $0 != "{" && $0 != "=" }) {
    names +=
      character.isUppercase ? " " + character.lowercased() : character.isLetter ? String(character) : " "
  }
  let stems = Set(names.split(separator: " ").map { $0.prefix(5) })
  let content = sentence.map(\.bare).filter { !$0.isEmpty && !fillers.contains($0) }
  return content.allSatisfy { stems.contains($0.prefix(5)) || stems.contains($0.dropLast().prefix(5)) }
}

// MARK: - The list

var found: [Character: Int] = [:]

func report(_ rule: Character, _ path: String, _ line: Int, _ text: String) {
  found[rule, default: 0] += 1
  print("\(path):\(line): (\(rule)) \(text.prefix(200))")
}

func text(_ sentence: ArraySlice<Word>) -> String { sentence.map(\.text).joined(separator: " ") }

func check(_ path: String, listsRepeats: Bool) throws {
  let source = try String(contentsOfFile: path, encoding: .utf8).components(separatedBy: "\n")
  let blocks = path.hasSuffix(".md") ? article(in: source) : comments(in: source)
  for block in blocks {
    let paragraphs = paragraphs(block)
    let tables = Set(
      block.lines.filter { isTableRow($0.text.trimmingCharacters(in: .whitespaces)) }.map(\.number))
    for line in Set(paragraphs.joined().map(\.number)).subtracting(tables).sorted()
    where source[line - 1].count > mostColumns {
      report("c", path, line, "\(source[line - 1].count) columns")
    }
    for (index, paragraph) in paragraphs.enumerated() {
      for (position, sentence) in sentences(words(paragraph)).enumerated() {
        let line = sentence.first?.line ?? 0
        if count(sentence) > mostWords {
          report("a", path, line, "\(count(sentence)) words: \(text(sentence))")
        }
        if let word = nounClause(sentence) {
          report("b", path, word.line, "\"\(word.bare)\": \(text(sentence))")
        }
        let isFirst = index == 0 && position == 0 && block.marker == "///"
        if listsRepeats, isFirst, repeats(sentence, block.declaration) {
          report("d", path, line, "\(text(sentence))  [\(block.declaration.prefix(60))]")
        }
      }
    }
  }
}

/// The files below a path that hold prose, in the order of their names.
func files(below path: String) -> [String] {
  var isFolder: ObjCBool = false
  guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
    print("no such file: \(path)")
    exit(2)
  }
  guard isFolder.boolValue else { return [path] }
  let names = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
  let endings = [".swift", ".c", ".h", ".md"]
  return names.filter { name in endings.contains(where: name.hasSuffix) }.sorted().map { "\(path)/\($0)" }
}

let arguments = CommandLine.arguments.dropFirst()
let paths = arguments.filter { !$0.hasPrefix("--") }
for path in paths.isEmpty ? ["Sources", "Examples", "Benchmarks"] : Array(paths) {
  for file in files(below: path) { try check(file, listsRepeats: arguments.contains("--repeats")) }
}
let counts = "abcd".map { "\($0): \(found[$0, default: 0])" }.joined(separator: ", ")
print(counts)
exit("abc".contains { found[$0] != nil } ? 1 : 0)
