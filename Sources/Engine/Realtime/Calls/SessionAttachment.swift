import FluxCluster
import FluxCore

/// A session that begins, for its User actor.
struct SessionAttachment: WireCodable, Equatable {
    var session: SessionKey
    var isBot: Bool
    var loginID: LoginID?
    var presence: SessionPresence

    init(session: SessionKey, isBot: Bool, loginID: LoginID?, presence: SessionPresence) {
        self.session = session
        self.isBot = isBot
        self.loginID = loginID
        self.presence = presence
    }

    func encode(to writer: inout WireWriter) {
        writer.unsigned(session.rawValue)
        writer.bool(isBot)
        writer.optional(loginID)
        writer.value(presence)
    }

    init(from reader: inout WireReader) throws(WireError) {
        self.init(
            session: SessionKey(rawValue: try reader.unsigned()), isBot: try reader.bool(),
            loginID: try reader.optional(), presence: try reader.value())
    }
}

/// What a User actor tells a session that begins: the parts of READY that are the user's, and where its stream stands.
struct UserOpening: WireCodable, Equatable {
    struct Section: WireCodable, Equatable {
        var name: String
        /// The section's value.
        var json: [UInt8]

        init(name: String, json: [UInt8]) {
            self.name = name
            self.json = json
        }

        func encode(to writer: inout WireWriter) {
            writer.string(name)
            writer.byteArray(json)
        }

        init(from reader: inout WireReader) throws(WireError) {
            self.init(name: try reader.string(), json: try reader.byteArray())
        }
    }

    var position: StreamPosition
    /// The own user object.
    var ownUser: [UInt8]
    /// The guilds of the user, oldest first.
    var guildIDs: [GuildID]
    /// The other parts of READY, in order.
    var sections: [Section]

    init(position: StreamPosition, ownUser: [UInt8], guildIDs: [GuildID], sections: [Section]) {
        self.position = position
        self.ownUser = ownUser
        self.guildIDs = guildIDs
        self.sections = sections
    }

    func encode(to writer: inout WireWriter) {
        writer.value(position)
        writer.byteArray(ownUser)
        writer.list(guildIDs)
        writer.list(sections)
    }

    init(from reader: inout WireReader) throws(WireError) {
        self.init(
            position: try reader.value(), ownUser: try reader.byteArray(), guildIDs: try reader.list(),
            sections: try reader.list())
    }
}

extension StreamPosition: WireCodable {
    public func encode(to writer: inout WireWriter) {
        writer.signed(epoch)
        writer.unsigned(number)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        self.init(epoch: try reader.signed(), number: try reader.unsigned())
    }
}
