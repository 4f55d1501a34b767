import Collections
import FluxCore
import FluxStore

/// The reactions of one message: who used which emoji, in order of first use. Bounded by 20 kinds (protocol 3.5, 30010).
package struct ReactionTable {
    static let maximumKinds = 20

    private var users: OrderedDictionary<String, OrderedSet<UserID>> = [:]

    package init() {}

    /// - Parameter stored: by emoji, in order of first use.
    package init(_ stored: [ReactionSet]) {
        for set in stored { users[set.emoji.key] = OrderedSet(set.userIDs) }
    }

    var isEmpty: Bool { users.isEmpty }
    package func has(_ emoji: String) -> Bool { users[emoji] != nil }
    package func has(_ emoji: String, by userID: UserID) -> Bool { users[emoji]?.contains(userID) ?? false }
    package var isFull: Bool { users.count >= Self.maximumKinds }

    package mutating func add(_ emoji: String, by userID: UserID) { users[emoji, default: []].append(userID) }

    package mutating func remove(_ emoji: String, by userID: UserID) {
        users[emoji]?.remove(userID)
        if users[emoji]?.isEmpty ?? false { users[emoji] = nil }
    }

    /// What clearing takes away: everything, or what was given with one emoji.
    func given(with emoji: String?) -> [(emoji: String, userID: UserID)] {
        users.flatMap { key, userIDs in
            emoji == nil || emoji == key ? userIDs.map { (emoji: key, userID: $0) } : []
        }
    }

    mutating func clear(_ emoji: String?) {
        if let emoji { users[emoji] = nil } else { users = [:] }
    }
}
