import Collections
import FluxCore

/// The nonces of one channel of the last ten minutes: a repeat by the same author is the same message (I4).
///
/// A value without I/O. Bounded: when full it takes no further nonce, so that no promise is broken silently.
struct NonceTable {
    /// How long a nonce is unique, in milliseconds.
    static let lifetimeMilliseconds: Int64 = 600_000
    static let maximumCount = 1_000_000

    struct Key: Hashable {
        var authorID: UserID
        var nonce: String
    }

    /// The message that a nonce made.
    struct Entry: Equatable {
        var messageID: MessageID
        var sequence: SequenceNumber
        var epoch: Epoch
        var createdAtMilliseconds: Int64
    }

    private var entries: [Key: Entry] = [:]
    private var order: Deque<(key: Key, messageID: MessageID, createdAtMilliseconds: Int64)> = []

    var count: Int { entries.count }
    var isFull: Bool { entries.count >= Self.maximumCount }

    /// The message that the author made with this nonce less than ten minutes ago.
    func message(of key: Key, at now: Int64) -> Entry? {
        guard let entry = entries[key], now - entry.createdAtMilliseconds < Self.lifetimeMilliseconds else {
            return nil
        }
        return entry
    }

    /// Records a nonce with its message; the newest message of a nonce counts.
    mutating func record(_ key: Key, _ entry: Entry) {
        entries[key] = entry
        order.append((key, entry.messageID, entry.createdAtMilliseconds))
        expire(at: entry.createdAtMilliseconds)
    }

    /// Forgets the nonce of a message that was taken back, so that the client may send it again.
    mutating func forget(_ key: Key, messageID: MessageID) {
        if entries[key]?.messageID == messageID { entries[key] = nil }
    }

    private mutating func expire(at now: Int64) {
        while let oldest = order.first, now - oldest.createdAtMilliseconds >= Self.lifetimeMilliseconds {
            order.removeFirst()
            if entries[oldest.key]?.messageID == oldest.messageID { entries[oldest.key] = nil }
        }
    }
}
