import Collections
import FluxCore

/// The nonces of one channel of the last ten minutes, and the edge's own keys of writes: a repeat by the same author is the same
/// message (I4). The two never meet: no nonce is ever taken for a key, and nobody is shown a key.
///
/// A value without I/O. Of a nonce it keeps a digest and the id of its message, which says when: some 40 bytes, so that a
/// channel at 1,000 messages a second costs 25 MB and no question to Postgres. Nonces lie in generations of a minute each,
/// by their messages' time; to forget the oldest is to drop a generation.
///
/// Bounded: at `maximumCount` it takes no further one (`timeUntilRoom`), so that no promise is broken silently.
package struct NonceTable {
    /// How long a nonce is unique, in milliseconds.
    package static let lifetimeMilliseconds: Int64 = 600_000
    /// What is sent in ten minutes at 1,600 messages a second.
    package static let maximumCount = 1_000_000
    private static let generationMilliseconds: Int64 = 60_000

    package struct Key: Hashable {
        private enum Name: Hashable {
            case nonce(String)
            case key(UInt64)
        }

        package let authorID: UserID
        private let name: Name

        /// What a client calls its message.
        package init(authorID: UserID, nonce: String) {
            self.authorID = authorID
            name = .nonce(nonce)
        }

        /// What the edge calls a request.
        package init(authorID: UserID, idempotencyKey: UInt64) {
            self.authorID = authorID
            name = .key(idempotencyKey)
        }

        /// The nonce; empty for a key.
        package var nonce: String { if case .nonce(let text) = name { text } else { "" } }

        /// The edge's key, if it is one.
        package var idempotencyKey: UInt64? { if case .key(let key) = name { key } else { nil } }
    }

    /// 128 bits of a hash whose key is drawn anew by each process and known to nobody outside: no two nonces that anybody
    /// will ever send, or can choose, share one.
    private struct Digest: Hashable {
        private var first: UInt64
        private var second: UInt64

        init(_ key: Key) {
            func hash(_ part: UInt8) -> UInt64 {
                var hasher = Hasher()
                hasher.combine(part)
                hasher.combine(key)
                return UInt64(bitPattern: Int64(hasher.finalize()))
            }
            (first, second) = (hash(0), hash(1))
        }
    }

    private struct Generation {
        /// Its minute.
        var number: Int64
        var messages: [Digest: MessageID] = [:]

        /// From when on no nonce in it counts any more.
        var endMilliseconds: Int64 {
            (number + 1) * NonceTable.generationMilliseconds + NonceTable.lifetimeMilliseconds
        }
    }

    /// Oldest first.
    private var generations: Deque<Generation> = []
    private let maximumCount: Int

    package init(maximumCount: Int = Self.maximumCount) { self.maximumCount = maximumCount }

    package var count: Int { generations.reduce(0) { $0 + $1.messages.count } }

    /// The message that the author made with this nonce less than ten minutes ago.
    package func message(of key: Key, at now: Int64) -> MessageID? {
        guard !generations.isEmpty else { return nil }
        let digest = Digest(key)
        for generation in generations.reversed() {
            guard let id = generation.messages[digest] else { continue }
            return now - id.timestampMilliseconds < Self.lifetimeMilliseconds ? id : nil
        }
        return nil
    }

    /// Nil when a further nonce may be recorded; at the bound the milliseconds until there will be room.
    package mutating func timeUntilRoom(at now: Int64) -> Int64? {
        expire(at: now)
        guard count >= maximumCount, let oldest = generations.first else { return nil }
        return oldest.endMilliseconds - now
    }

    /// Records a nonce with its message; the newest message of a nonce counts. Messages come in the order of their ids. What is
    /// over is forgotten by `timeUntilRoom`, which is asked before each new message.
    package mutating func record(_ key: Key, messageID: MessageID) {
        let time = messageID.timestampMilliseconds
        let number = max(time / Self.generationMilliseconds, generations.last?.number ?? .min)
        // What is over is told by the clock alone (`timeUntilRoom`): ids of a node that has started often run ahead of it by
        // many minutes, and by them a nonce of just now would seem old.
        if generations.last?.number != number { generations.append(Generation(number: number)) }
        generations[generations.count - 1].messages[Digest(key)] = messageID
    }

    /// Forgets the nonce of a message that was taken back, so that the client may send it again.
    package mutating func forget(_ key: Key, messageID: MessageID) {
        let digest = Digest(key)
        for index in generations.indices where generations[index].messages[digest] == messageID {
            generations[index].messages[digest] = nil
        }
    }

    private mutating func expire(at now: Int64) {
        while let oldest = generations.first, oldest.endMilliseconds <= now { generations.removeFirst() }
    }
}
