/// A bounded cache that forgets what was not asked for lately: two generations, of which the elder is dropped when the
/// younger is full. Every operation takes constant time; it holds at most twice `generationLimit` entries.
struct GenerationCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private let generationLimit: Int
    private var young: [Key: Value] = [:]
    private var old: [Key: Value] = [:]

    init(generationLimit: Int) {
        self.generationLimit = max(1, generationLimit)
    }

    /// The value of `key`, which by this counts as asked for.
    mutating func find(_ key: Key) -> Value? {
        if let value = young[key] { return value }
        guard let value = old.removeValue(forKey: key) else { return nil }
        insert(value, for: key)
        return value
    }

    mutating func insert(_ value: Value, for key: Key) {
        if young.count >= generationLimit, young[key] == nil {
            old = young
            young = [:]
        }
        young[key] = value
        old[key] = nil
    }

    mutating func remove(_ key: Key) {
        young[key] = nil
        old[key] = nil
    }

    var count: Int { young.count + old.count }
}
