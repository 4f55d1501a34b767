/// The nonces of a run: they name a loop's record, so that an answer finds it without a table.
struct Nonce: Sendable {
    /// Keeps runs apart that follow each other within the ten minutes in which a nonce is remembered.
    let prefix: String

    /// - Parameter run: a random number.
    init(run: UInt64, loop: Int) {
        prefix = String(run % 2_176_782_336, radix: 36) + "." + String(loop, radix: 36) + "."
    }

    func text(_ index: Int) -> String { prefix + String(index, radix: 36) }

    /// The record's number; nil for another's nonce.
    func index(_ text: String) -> Int? {
        guard text.hasPrefix(prefix) else { return nil }
        return Int(text.dropFirst(prefix.count), radix: 36).flatMap { $0 >= 0 ? $0 : nil }
    }
}
