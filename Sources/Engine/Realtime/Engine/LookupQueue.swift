import Collections

/// Gathers questions of one sort, without I/O: those that come while earlier ones are under way are asked together. Nothing
/// waits for a time: a question alone is asked at once. Bounded.
struct LookupQueue<Key: Hashable, Waiter> {
    typealias Batch = [(key: Key, waiters: [Waiter])]

    private var waiting: OrderedDictionary<Key, [Waiter]> = [:]
    private var waiterCount = 0
    private(set) var running = 0
    /// Batches that are asked at a time.
    let concurrent: Int
    /// Keys of a batch.
    let batchSize: Int
    /// How many may wait.
    let capacity: Int

    init(concurrent: Int, batchSize: Int, capacity: Int) {
        precondition(concurrent >= 1 && batchSize >= 1, "nothing would ever be asked")
        self.concurrent = concurrent
        self.batchSize = batchSize
        self.capacity = capacity
    }

    /// Queues a question. One that waits already is asked once for all; one that is under way is asked again, as its answer may
    /// be older than the question. - Returns: false if too many wait.
    mutating func add(_ key: Key, _ waiter: Waiter) -> Bool {
        guard waiterCount < capacity else { return false }
        waiterCount += 1
        waiting[key, default: []].append(waiter)
        return true
    }

    /// The questions to ask now, if there are any and there is a place for them. Each batch is followed by one `finished`.
    mutating func next() -> Batch? {
        guard running < concurrent, !waiting.isEmpty else { return nil }
        running += 1
        let batch = waiting.elements.prefix(batchSize).map { (key: $0.key, waiters: $0.value) }
        waiting.removeFirst(batch.count)
        waiterCount -= batch.reduce(0) { $0 + $1.waiters.count }
        return batch
    }

    mutating func finished() {
        precondition(running > 0, "a batch finished that was not begun")
        running -= 1
    }
}

extension LookupQueue: Sendable where Key: Sendable, Waiter: Sendable {}
