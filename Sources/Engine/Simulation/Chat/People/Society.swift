import FluxCore
import FluxRealtime

/// Who lives in a world, and which of them have conversations.
struct Society {
    /// Everyone, in the order of the clients.
    let users: [UserID]
    /// Their accounts, which never change.
    let accounts: [UserID: User]
    /// The conversations of two. Of three who follow one another the second has one with each of the others.
    let directs: [ChatDirect]

    init(size: Int) {
        users = (0..<size).map(ChatClient.userID)
        accounts = Dictionary(uniqueKeysWithValues: users.map { ($0, User(id: $0, username: "user\($0)")) })
        directs = users.indices.dropLast().filter { $0 % 3 != 2 }.map { [users] number in
            ChatDirect(
                id: ChannelID(UInt64(5_000 + number) << 22), recipients: [users[number], users[number + 1]])
        }
    }

    /// The conversations that somebody is in.
    func directs(of userID: UserID) -> [ChatDirect] { directs.filter { $0.recipients.contains(userID) } }
}

/// A conversation of two, which has a slot of its own.
struct ChatDirect {
    let id: ChannelID
    let recipients: [UserID]
    let slot: Slot

    init(id: ChannelID, recipients: [UserID]) {
        self.id = id
        self.recipients = recipients
        slot = Slot(of: id)
    }
}

/// Where a channel is.
enum ChatPlace {
    /// In a guild, whose slot it shares.
    case guild(ChatGuild)
    /// By itself.
    case direct(ChatDirect)

    var slot: Slot {
        switch self {
        case .guild(let guild): guild.slot
        case .direct(let direct): direct.slot
        }
    }
}
