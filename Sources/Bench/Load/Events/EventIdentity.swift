/// What an event is, apart from its place: two tellings of the same place have to agree on it.
struct EventIdentity: Hashable, Sendable, CustomStringConvertible {
    var kind: LogKind
    /// The message that was made, changed or reacted to; 0 for a bulk deletion.
    var message: UInt64

    var description: String { "\(kind.rawValue) \(message)" }
}
