/// How long a session was told no message, between two marks.
struct DeliverySilence: Sendable, Equatable {
    /// The longest, in nanoseconds.
    var longest: UInt64 = 0
    /// It had to connect again meanwhile.
    var cameBack = false
}
