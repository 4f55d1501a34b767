import Collections
import FluxCore

/// The newest messages of a channel, oldest first, so that the newest page needs no Postgres. Bounded.
package struct MessageTail {
    package static let capacity = 100

    private var messages: Deque<Message> = []
    /// Whether messages older than the tail may exist.
    package private(set) var hasOlder: Bool
    /// Messages of the tail that have, or had, a reaction: their counts are in Postgres.
    private var reacted: Set<MessageID> = []

    /// - Parameter messages: the newest ones by growing id.
    package init(messages: [Message], reacted: Set<MessageID>, hasOlder: Bool) {
        self.messages = Deque(messages.suffix(Self.capacity))
        self.reacted = reacted
        self.hasOlder = hasOlder || messages.count > Self.capacity
    }

    package var count: Int { messages.count }

    package subscript(id: MessageID) -> Message? { index(of: id).map { messages[$0] } }

    /// The newest `limit` messages, newest first; nil if the tail does not reach back so far.
    package func newest(_ limit: Int) -> [Message]? {
        guard !hasOlder || messages.count >= limit else { return nil }
        return messages.suffix(limit).reversed()
    }

    package func hasReactions(_ id: MessageID) -> Bool { reacted.contains(id) }

    package mutating func append(_ message: Message) {
        messages.append(message)
        if messages.count > Self.capacity, let oldest = messages.popFirst() {
            reacted.remove(oldest.id)
            hasOlder = true
        }
    }

    package mutating func replace(_ message: Message) {
        if let index = index(of: message.id) { messages[index] = message }
    }

    /// Puts a message back at its place, if the tail reaches back so far.
    package mutating func restore(_ message: Message) {
        guard index(of: message.id) == nil else { return replace(message) }
        let place = messages.firstIndex { $0.id > message.id } ?? messages.endIndex
        guard place > 0 || !hasOlder else { return }
        messages.insert(message, at: place)
        if messages.count > Self.capacity {
            messages.removeFirst()
            hasOlder = true
        }
    }

    package mutating func remove(_ id: MessageID) {
        if let index = index(of: id) { messages.remove(at: index) }
        reacted.remove(id)
    }

    package mutating func markReacted(_ id: MessageID) {
        if index(of: id) != nil { reacted.insert(id) }
    }

    /// Ids grow along the tail, so bisection finds one.
    private func index(of id: MessageID) -> Int? {
        var low = 0
        var high = messages.count
        while low < high {
            let middle = (low + high) / 2
            if messages[middle].id < id { low = middle + 1 } else { high = middle }
        }
        return low < messages.count && messages[low].id == id ? low : nil
    }
}
