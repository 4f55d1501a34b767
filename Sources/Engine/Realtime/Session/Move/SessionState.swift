import FluxCluster
import FluxCore

/// A session as of the moment at which it is frozen. The dispatches of its replay ring follow.
struct SessionState: WireCodable {
    /// Its place in one stream.
    struct Place: WireCodable {
        var key: StreamKey
        /// Everything up to here has been seen; nil while a guild's snapshot is awaited: the taker asks for it anew.
        var position: StreamPosition?
        /// The channels that the member may view there; nil for a user's stream.
        var visibility: ChannelVisibility?

        init(key: StreamKey, position: StreamPosition?, visibility: ChannelVisibility?) {
            self.key = key
            self.position = position
            self.visibility = visibility
        }

        func encode(to writer: inout WireWriter) {
            writer.value(key)
            writer.optional(position)
            writer.bool(visibility != nil)
            if let visibility { writer.list(Array(visibility.channels)) }
        }

        init(from reader: inout WireReader) throws(WireError) {
            let key = try reader.value(StreamKey.self)
            let position = try reader.optional(StreamPosition.self)
            let channels: [ChannelID]? = try reader.bool() ? try reader.list() : nil
            self.init(key: key, position: position, visibility: channels.map { ChannelVisibility(Set($0)) })
        }
    }

    /// A send whose channel is still being looked up.
    struct UnroutedSend: WireCodable, Equatable {
        var channelID: ChannelID
        var ticket: UInt64
        var body: JSON

        init(channelID: ChannelID, ticket: UInt64, body: JSON) {
            self.channelID = channelID
            self.ticket = ticket
            self.body = body
        }

        func encode(to writer: inout WireWriter) {
            writer.value(channelID)
            writer.unsigned(ticket)
            writer.value(body)
        }

        init(from reader: inout WireReader) throws(WireError) {
            self.init(channelID: try reader.value(), ticket: try reader.unsigned(), body: try reader.value())
        }
    }

    /// How often the session has moved before.
    var moves: UInt64
    /// The last sequence number that was given out.
    var lastSequence: UInt64
    /// How many dispatches follow; the last one is `lastSequence`.
    var dispatchCount: UInt64
    /// Whether its User actor was told that it waits for its client.
    var countsAsOffline: Bool
    /// Guilds that READY called unavailable and that the client has not been shown since.
    var unavailableGuilds: [GuildID]
    /// What the client shows of its user.
    var presence: SessionPresence
    var places: [Place]
    /// Answers to sends that are under way, or that wait for those before them.
    var acknowledgements: PendingAcknowledgements
    var unroutedSends: [UnroutedSend]
    /// Requests for members that have no answer yet.
    var memberRequests: [MemberRequest]

    init(
        moves: UInt64, lastSequence: UInt64, dispatchCount: UInt64, countsAsOffline: Bool,
        unavailableGuilds: [GuildID], presence: SessionPresence, places: [Place],
        acknowledgements: PendingAcknowledgements, unroutedSends: [UnroutedSend], memberRequests: [MemberRequest]
    ) {
        self.moves = moves
        self.lastSequence = lastSequence
        self.dispatchCount = dispatchCount
        self.countsAsOffline = countsAsOffline
        self.unavailableGuilds = unavailableGuilds
        self.presence = presence
        self.places = places
        self.acknowledgements = acknowledgements
        self.unroutedSends = unroutedSends
        self.memberRequests = memberRequests
    }

    func encode(to writer: inout WireWriter) {
        writer.record { fields in
            fields.unsigned(moves)
            fields.unsigned(lastSequence)
            fields.unsigned(dispatchCount)
            fields.bool(countsAsOffline)
            fields.list(unavailableGuilds)
            fields.value(presence)
            fields.list(places)
            fields.value(acknowledgements)
            fields.list(unroutedSends)
            fields.list(memberRequests)
        }
    }

    init(from reader: inout WireReader) throws(WireError) {
        self = try reader.record { fields throws(WireError) in
            SessionState(
                moves: try fields.unsigned(), lastSequence: try fields.unsigned(),
                dispatchCount: try fields.unsigned(), countsAsOffline: try fields.bool(),
                unavailableGuilds: try fields.list(), presence: try fields.value(), places: try fields.list(),
                acknowledgements: try fields.value(), unroutedSends: try fields.list(),
                memberRequests: try fields.list())
        }
    }
}

extension PendingAcknowledgements: WireCodable {
    func encode(to writer: inout WireWriter) {
        writer.unsigned(lastTicket)
        writer.unsigned(UInt(queues.count))
        for (channel, queue) in queues {
            writer.value(channel)
            writer.unsigned(UInt(queue.count))
            for entry in queue {
                writer.unsigned(entry.ticket)
                writer.bool(entry.answer != nil)
                if let answer = entry.answer { writer.byteArray(answer) }
            }
        }
    }

    init(from reader: inout WireReader) throws(WireError) {
        self.init()
        lastTicket = try reader.unsigned()
        for _ in 0..<(try reader.unsigned(UInt.self)) {
            let channel = try reader.value(ChannelID.self)
            for _ in 0..<(try reader.unsigned(UInt.self)) {
                let entry = Entry(
                    ticket: try reader.unsigned(), answer: try reader.bool() ? try reader.byteArray() : nil)
                guard keep(entry, of: channel), entry.ticket <= lastTicket else {
                    throw .malformed("no session has so many sends under way")
                }
            }
        }
    }
}
