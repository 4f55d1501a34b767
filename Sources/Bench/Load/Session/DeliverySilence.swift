/// How long a session was told no message, between two marks.
struct DeliverySilence: Sendable, Equatable {
    /// The longest, in nanoseconds.
    private(set) var longest: UInt64 = 0
    /// In one of them it had to connect again.
    private(set) var cameBack = false

    /// It was told a message.
    /// - Parameters:
    ///   - time: since the one before, in nanoseconds.
    ///   - comingBack: whether it had to connect again meanwhile.
    mutating func ended(after time: UInt64, comingBack: Bool) {
        longest = max(longest, time)
        cameBack = cameBack || comingBack
    }
}
