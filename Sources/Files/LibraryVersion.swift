/// The semantic version of this release. Files state it under `swift-flows` in their metadata.
public let libraryVersion = "0.1.0"
