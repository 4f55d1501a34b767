import NIOCore

/// How the calls of distributed funcs inside `withValue` behave.
///
/// ```swift
/// try await CallOptions.$current.withValue(CallOptions(deadline: .seconds(1), isIdempotent: true)) {
///     try await guild.snapshot()
/// }
/// ```
public struct CallOptions: Sendable {
    /// How long the caller waits for the reply.
    public var deadline: TimeAmount
    /// Whether running the call twice does no harm, so that it may be sent again after a lost link or a
    /// lost slot.
    public var isIdempotent: Bool
    /// Told, on some loop, when the call is sent again although an earlier try may have run: what it then answers may be about
    /// what that try has left.
    public var onRepeat: (@Sendable () -> Void)?

    /// 5 seconds, and not twice.
    public init(
        deadline: TimeAmount = .seconds(5), isIdempotent: Bool = false, onRepeat: (@Sendable () -> Void)? = nil
    ) {
        self.deadline = deadline
        self.isIdempotent = isIdempotent
        self.onRepeat = onRepeat
    }

    /// What applies to the current task.
    @TaskLocal public static var current = CallOptions()
}

/// An argument that tells whether the call that carries it may be sent again: true when it has an idempotency key that
/// the target looks up before it acts.
public protocol Repeatable: WireCodable {
    /// Whether running the call twice does no harm.
    var isRepeatable: Bool { get }
}
