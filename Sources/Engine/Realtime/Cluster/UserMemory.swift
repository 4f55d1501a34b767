import FluxCluster
import FluxCore

/// What a User actor leaves to its successor.
package struct UserMemory: WireCodable, Equatable {
    /// One of the user's sessions.
    package struct Session: WireCodable, Equatable {
        var session: SessionKey
        var presence: SessionPresence
        var isAbsent: Bool
        /// Where it lives, once it has left the node that its id names.
        var home: SessionHome?

        init(session: SessionKey, presence: SessionPresence, isAbsent: Bool, home: SessionHome? = nil) {
            self.session = session
            self.presence = presence
            self.isAbsent = isAbsent
            self.home = home
        }

        package func encode(to writer: inout WireWriter) {
            writer.unsigned(session.rawValue)
            writer.value(presence)
            writer.bool(isAbsent)
            writer.optional(home)
        }

        package init(from reader: inout WireReader) throws(WireError) {
            self.init(
                session: SessionKey(rawValue: try reader.unsigned()), presence: try reader.value(),
                isAbsent: try reader.bool(), home: try reader.optional())
        }
    }

    package var userID: UserID
    /// The last event of the stream; every relay that followed it has applied it.
    package var position: StreamPosition
    /// What they have been shown by then, as `UserActor.version` says it.
    package var version: UInt64
    var sessions: [Session]
    /// How far each of the user's conversations was shown.
    package var conversations: [ChannelID: DirectHead]

    package init(
        userID: UserID, position: StreamPosition, version: UInt64, sessions: [Session],
        conversations: [ChannelID: DirectHead] = [:]
    ) {
        self.userID = userID
        self.position = position
        self.version = version
        self.sessions = sessions
        self.conversations = conversations
    }

    package func encode(to writer: inout WireWriter) {
        writer.record { fields in
            fields.value(userID)
            fields.value(position)
            fields.unsigned(version)
            fields.list(sessions)
            fields.list(conversations.keys.sorted())
            for channelID in conversations.keys.sorted() { fields.optional(conversations[channelID]) }
        }
    }

    package init(from reader: inout WireReader) throws(WireError) {
        self = try reader.record { fields throws(WireError) in
            var memory = UserMemory(
                userID: try fields.value(), position: try fields.value(), version: try fields.unsigned(),
                sessions: try fields.list())
            for channelID in try fields.list(of: ChannelID.self) {
                memory.conversations[channelID] = try fields.optional()
            }
            return memory
        }
    }
}
