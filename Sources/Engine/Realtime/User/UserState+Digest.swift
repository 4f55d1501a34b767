import FluxCore

extension UserState {
    /// The same on every node, whatever the order in which things came to be.
    func computeDigest() -> UInt64 {
        var sum: UInt64 = 0
        for side in relationships.values {
            guard let kind = side.kind else { continue }
            sum &+= StableHash.of(.relationship, side.peerID) { hash in
                hash.add(UInt64(kind.rawValue))
                hash.add((side.nickname ?? "").utf8)
            }
        }
        sum &+= StableHash.of(.settings, userID) { $0.add(settings.json.encoded()) }
        for (guildID, object) in guildSettings {
            sum &+= StableHash.of(.guildSettings, guildID) { $0.add(JSON.object(object).encoded()) }
        }
        for (peerID, note) in notes { sum &+= StableHash.of(.note, peerID) { $0.add(note.utf8) } }
        return sum
    }
}

extension UserChange {
    /// Whether it changes the digest.
    var isInDigest: Bool {
        switch self {
        case .relationship, .settings, .guildSettings, .note: true
        case .noticeSent, .noticeTaken, .read, .receipt, .receiptsWithdrawn: false
        }
    }
}

extension StableHash {
    /// The parts of what a user's sessions are shown.
    enum Part: UInt64 {
        case relationship = 1
        case settings, guildSettings, note, face, guild, openConversation
    }

    /// The hash of one thing.
    static func of(_ part: Part, _ id: Snowflake, _ content: (inout StableHash) -> Void = { _ in }) -> UInt64 {
        var hash = StableHash()
        hash.add(part.rawValue)
        hash.add(id.rawValue)
        content(&hash)
        return hash.value
    }
}
