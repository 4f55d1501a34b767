import Distributed
import FluxCluster
import FluxCore
import FluxStore

/// The parts of READY that only people get (protocol 7.7).
extension UserActor {
    /// What Postgres knows better than the actor: what was read with the account, or read now, together with that of others
    /// whose sessions open. Of a bot little is needed, and nothing when Postgres is away.
    func readyParts(isBot: Bool) async throws(APIError) -> ReadyParts {
        if let fresh = takeFreshParts() { return fresh }
        await settleOpenings()
        do throws(StoreError) {
            return try await services.readyParts.value(of: userID) ?? ReadyParts()
        } catch {
            guard isBot else { throw .notCommitted }
            return ReadyParts()
        }
    }

    /// The sections, of parts that were just read.
    func personSections(_ parts: ReadyParts) async throws -> [UserOpening.Section] {
        let conversations: [(channel: Channel, others: [User])]
        let stored = parts.readStates
        let peers: [UserID: User]
        do {
            conversations = try await self.conversations(parts.directMessages)
            peers = try await services.users.users(state.standingRelationships.map(\.peerID))
        } catch { throw APIError.notCommitted }
        await learnFriendPresences()

        var users = peers
        for user in conversations.flatMap(\.others) { users[user.id] = user }
        return [
            section("private_channels") { writer in
                writer.beginArray()
                for entry in conversations { entry.channel.write(to: &writer, recipients: entry.others) }
                writer.endArray()
            },
            section("relationships") { state.writeRelationships(peers, to: &$0) },
            section("presences") { writer in
                writer.beginArray()
                for friendID in state.friendIDs { friendPresences[friendID]?.write(to: &writer, guildID: nil) }
                writer.endArray()
            },
            section("read_state") { state.writeReadStates(stored, at: .now(), to: &$0) },
            section("user_settings") { $0.json(state.settings.json) },
            section("user_guild_settings") { state.writeGuildSettings(to: &$0) },
            section("sessions") { presence.writeSessions(to: &$0) },
            section("users") { writer in
                writer.beginArray()
                for user in users.values.sorted(by: { $0.id < $1.id }) { user.write(to: &writer) }
                writer.endArray()
            },
        ]
    }

    private func section(_ name: String, _ write: (inout JSONWriter) -> Void) -> UserOpening.Section {
        var writer = JSONWriter()
        write(&writer)
        return UserOpening.Section(name: name, json: writer.bytes)
    }
}

extension UserState {
    /// Those that stand, with people who exist.
    func writeRelationships(_ people: [UserID: User], to writer: inout JSONWriter) {
        writer.beginArray()
        for side in standingRelationships {
            guard let relationship = side.relationship, let peer = people[side.peerID] else { continue }
            relationship.write(to: &writer, peer: peer)
        }
        writer.endArray()
    }

    /// What is stored, and of what is on its way there the newer.
    func writeReadStates(_ stored: [StoredReadState], at now: Timestamp, to writer: inout JSONWriter) {
        var unwritten = readMarks
        writer.beginObject()
        writer.key("entries")
        writer.beginArray()
        for entry in stored {
            var shown = entry.state
            if let mark = unwritten.removeValue(forKey: shown.channelID), mark.version > entry.version {
                shown.lastMessageID = mark.lastMessageID
                shown.mentionCount = mark.markedCount
            }
            shown.write(
                to: &writer, lastPinAt: entry.lastPinAt, lastSeq: entry.head.seq, epoch: entry.head.epoch)
        }
        // The store leaves out channels that are gone or of guilds that were left; what is newer than a second is missing
        // there as well, and known by being the first mark of its channel.
        for mark in unwritten.values.sorted(by: { $0.channelID < $1.channelID }) where mark.version == 1 {
            ReadState(
                userID: userID, channelID: mark.channelID, lastMessageID: mark.lastMessageID,
                mentionCount: mark.markedCount, updatedAt: now
            ).write(to: &writer, lastSeq: nil, epoch: nil)
        }
        writer.endArray()
        writer.field("version", readMarks.values.map(\.version).max() ?? 0)
        writer.field("partial", false)
        writer.endObject()
    }

    func writeGuildSettings(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("entries")
        writer.beginArray()
        for (_, settings) in guildSettings.sorted(by: { $0.key < $1.key }) { writer.json(.object(settings)) }
        writer.endArray()
        writer.field("version", guildSettings.count)
        writer.field("partial", false)
        writer.endObject()
    }
}

extension PresenceBoard {
    /// The `sessions` of READY.
    func writeSessions(to writer: inout JSONWriter) {
        writer.beginArray()
        for (key, presence) in list {
            writer.beginObject()
            writer.field("session_id", key.description)
            writer.field("status", presence.status.rawValue)
            writer.field("activities", .array(presence.activities.map(\.json)))
            writer.key("client_info")
            writer.beginObject()
            writer.field("client", "web")
            writer.field("os", "other")
            writer.field("version", 0)
            writer.endObject()
            writer.endObject()
        }
        writer.endArray()
    }
}
