/// The library's version, as files name the one that wrote them (`swift-flows` in their metadata).
public let libraryVersion = "0.1.0"
