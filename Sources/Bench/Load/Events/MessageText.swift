/// The text of the messages that the load is made of: it carries when the message was due, so that whoever receives it on the
/// same machine, another process too, can tell how long it took.
enum MessageText {
    private static let start = "flux-bench "
    private static let filler = "the quick brown fox jumps over the lazy dog "

    /// A text of so many characters, or a little more where the moment alone needs them.
    static func make(due: UInt64, size: Int) -> String {
        var text = "\(start)\(due) "
        while text.utf8.count < size { text += filler.prefix(size - text.utf8.count) }
        return text
    }

    /// The moment in such a text, in nanoseconds of the monotonic clock.
    static func due(_ text: String) -> UInt64? {
        guard text.utf8.starts(with: start.utf8) else { return nil }
        let number = text.utf8.dropFirst(start.utf8.count).prefix { (0x30...0x39).contains($0) }
        return UInt64(Substring(number))
    }
}
