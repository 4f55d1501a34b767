import FluxCore
import FluxStore

/// Writes messages as REST shows them: with their authors, mentions, reactions as the viewer sees them, and what they
/// answer (protocol 6.5). Asks Postgres once per page for each kind of thing that is not at hand.
struct MessageRenderer: Sendable {
    let users: UserDirectory
    let messages: Messages
    let reactions: MessageReactions
    let mediaBase: String

    /// The bodies of `page`, in its order.
    /// - Parameter withoutReactions: those of which it is known that they have no reactions.
    /// - Throws: `.notCommitted` if Postgres cannot be asked.
    func render(
        _ page: [Message], for viewer: UserID, withoutReactions: Set<MessageID> = []
    ) async throws(APIError) -> [[UInt8]] {
        guard let first = page.first else { return [] }
        let referenced = await referenced(by: page)
        do {
            let people = try await users.users(Set(page.map(\.authorID)).union(page.flatMap(\.mentions)))
            let asked = page.map(\.id).filter { !withoutReactions.contains($0) }
            let counts =
                asked.isEmpty ? [:] : try await reactions.counts(of: asked, in: first.channelID, viewer: viewer)
            return page.map { message in
                var writer = JSONWriter()
                message.write(
                    to: &writer, author: people[message.authorID] ?? .deleted(message.authorID),
                    mentions: message.mentions.compactMap { people[$0] }, reactions: counts[message.id] ?? [],
                    referenced: referenced[message.id] ?? .absent, mediaBase: mediaBase)
                return writer.bytes
            }
        } catch { throw .notCommitted }
    }

    /// What each reply of the page answers; those that answer nothing are left out.
    func referenced(by page: [Message]) async -> [MessageID: Message.Referenced] {
        let replies = page.filter { $0.reference != nil && $0.kind == .reply }
        guard let first = replies.first else { return [:] }
        let targets = Set(replies.compactMap(\.reference?.messageID))
        let found = (try? await messages.batch(Array(targets), in: first.channelID, guildID: first.guildID)) ?? []
        let people = (try? await users.users(Set(found.map(\.authorID)).union(found.flatMap(\.mentions)))) ?? [:]
        var bodies: [MessageID: [UInt8]] = [:]
        for message in found {
            var writer = JSONWriter()
            message.write(
                to: &writer, author: people[message.authorID] ?? .deleted(message.authorID),
                mentions: message.mentions.compactMap { people[$0] }, mediaBase: mediaBase)
            bodies[message.id] = writer.bytes
        }
        return Dictionary(
            uniqueKeysWithValues: replies.map { reply in
                let body = reply.reference.flatMap { bodies[$0.messageID] }
                return (reply.id, body.map { .message($0) } ?? .deleted)
            })
    }

    /// The events of a page of a channel's log, oldest first (protocol 10.5). A create is written from its message, as it
    /// stands now; voids have nothing to show.
    func render(_ page: ChannelEventPage, guildID: GuildID?) async throws(APIError) -> [(
        kind: EventKind, body: [UInt8]
    )] {
        try await renderEach(page, guildID: guildID).map { ($0.kind, $0.body) }
    }

    /// As above, each with its entry.
    func renderEach(_ page: ChannelEventPage, guildID: GuildID?) async throws(APIError) -> [(
        event: ChannelEvent, kind: EventKind, body: [UInt8]
    )] {
        let created = page.events.compactMap { event in
            if case .created(let message) = event.body { message } else { nil }
        }
        let referenced = await referenced(by: created)
        let people: [UserID: User]
        do { people = try await users.users(Set(created.map(\.authorID)).union(created.flatMap(\.mentions))) } catch {
            throw .notCommitted
        }
        return page.events.compactMap { event in
            switch event.body {
            case .created(let message):
                var writer = JSONWriter()
                message.write(
                    to: &writer, author: people[message.authorID] ?? .deleted(message.authorID),
                    mentions: message.mentions.compactMap { people[$0] }, referenced: referenced[message.id] ?? .absent,
                    guildEvent: guildID.map { Message.GuildContext(guildID: $0, member: nil) }, mediaBase: mediaBase)
                return (event, .messageCreate, writer.bytes)
            case .logged(let kind, _, let body): return (event, kind, body)
            case .void: return nil
            }
        }
    }
}

extension User {
    /// The face of an account that is gone.
    static func deleted(_ id: UserID) -> User { User(id: id, username: "deleted_user", createdAt: id.timestamp) }
}
