import NIOConcurrencyHelpers

/// A value that only one thread at a time can touch. Unlike `NIOLockedValueBox` it holds values that cannot be copied or sent;
/// unlike `Synchronization.Mutex`, whose lock Thread Sanitizer does not know of, races beside it are found.
///
/// `@unchecked Sendable` is sound because `value` is reached only through `withLock`, under `lock`, and comes in by `sending`:
/// nobody else refers to what it holds.
final class Locked<Value: ~Copyable>: @unchecked Sendable {
    private let lock = NIOLock()
    private var value: Value

    init(_ value: consuming sending Value) { self.value = value }

    /// Runs `body` with the value while no other thread has it. `body` must not wait and must not come back here.
    func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        lock.lock()
        defer { lock.unlock() }
        return try body(&value)
    }
}
