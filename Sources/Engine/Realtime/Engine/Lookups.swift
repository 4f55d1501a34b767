import FluxStore
import NIOConcurrencyHelpers

/// Questions of one sort to Postgres, asked together when many come at once: the shell around `LookupQueue`. Safe from every
/// thread.
final class Lookups<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private typealias Waiter = CheckedContinuation<Result<Value?, StoreError>, Never>
    typealias Load = @Sendable ([Key]) async throws(StoreError) -> [Key: Value]

    private let queue = NIOLockedValueBox(LookupQueue<Key, Waiter>(concurrent: 1, batchSize: 128, capacity: 65_536))
    private let load: Load

    /// - Parameter load: asks for different keys; what is missing in its answer is not there.
    init(_ load: @escaping Load) { self.load = load }

    /// The value of a key, nil if there is none, as of now or later.
    func value(of key: Key) async throws(StoreError) -> Value? {
        let result: Result<Value?, StoreError> = await withCheckedContinuation { continuation in
            guard queue.withLockedValue({ $0.add(key, continuation) }) else {
                return continuation.resume(returning: .failure(.overloaded))
            }
            begin()
        }
        return try result.get()
    }

    private func begin() {
        while let batch = queue.withLockedValue({ $0.next() }) {
            Task {
                await self.ask(batch)
                self.queue.withLockedValue { $0.finished() }
                self.begin()
            }
        }
    }

    private func ask(_ batch: LookupQueue<Key, Waiter>.Batch) async {
        do throws(StoreError) {
            let values = try await load(batch.map(\.key))
            for (key, waiters) in batch {
                for waiter in waiters { waiter.resume(returning: .success(values[key])) }
            }
        } catch .corrupt where batch.count > 1 {
            // One of them cannot be read, which is not the others' fault.
            for single in batch { await ask([single]) }
        } catch {
            for (_, waiters) in batch {
                for waiter in waiters { waiter.resume(returning: .failure(error)) }
            }
        }
    }
}
