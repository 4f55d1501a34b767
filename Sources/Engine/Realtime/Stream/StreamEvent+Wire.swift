import FluxCluster
import FluxCore

// How streams cross from the owner's node to the others. The body crosses as the bytes that were encoded once.

extension StreamKey: WireCodable {
    public func encode(to writer: inout WireWriter) {
        writer.byte(kind.rawValue)
        writer.value(id)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        let number = try reader.byte()
        guard let kind = Kind(rawValue: number) else { throw .unknownCase(UInt64(number)) }
        self.init(kind: kind, id: try reader.value())
    }
}

/// An event on its way to another node.
package struct WireStreamEvent: WireCodable, Equatable {
    package var event: StreamEvent

    package init(_ event: StreamEvent) { self.event = event }

    package func encode(to writer: inout WireWriter) {
        writer.record { fields in
            fields.value(event.position)
            fields.byte(event.kind.rawValue)
            fields.byteArray(event.body)
            fields.value(event.audience)
            fields.unsigned(event.intents.rawValue)
            fields.optional(event.subject)
            fields.optional(event.mark)
            fields.optional(event.control)
        }
    }

    package init(from reader: inout WireReader) throws(WireError) {
        event = try reader.record { fields throws(WireError) in
            let position = try fields.value(StreamPosition.self)
            let kind = try fields.eventKind()
            let body = try fields.byteArray()
            let audience = try fields.value(Audience.self)
            let intents = Intents(rawValue: try fields.unsigned())
            let subject = try fields.optional(UserID.self)
            let mark = try fields.optional(StreamMark.self)
            let control = try fields.optional(StreamControl.self)
            return StreamEvent(
                position: position, kind: kind, body: body, audience: audience, intents: intents, subject: subject,
                control: control, mark: mark)
        }
    }
}

extension WireReader {
    /// The number of an event's kind.
    mutating func eventKind() throws(WireError) -> EventKind {
        let number = try byte()
        guard let kind = EventKind(rawValue: number) else { throw .unknownCase(UInt64(number)) }
        return kind
    }
}

extension Audience: WireCodable {
    public func encode(to writer: inout WireWriter) {
        switch self {
        case .everyone: writer.byte(1)
        case .viewers(let channel):
            writer.byte(2)
            writer.value(channel)
        case .users(let users):
            writer.byte(3)
            writer.list(users)
        case .nobody: writer.byte(4)
        }
    }

    public init(from reader: inout WireReader) throws(WireError) {
        switch try reader.byte() {
        case 1: self = .everyone
        case 2: self = .viewers(of: try reader.value())
        case 3: self = .users(try reader.list())
        case 4: self = .nobody
        case let other: throw .unknownCase(UInt64(other))
        }
    }
}

extension ChannelHead: WireCodable {
    public func encode(to writer: inout WireWriter) {
        writer.value(channelID)
        writer.signed(sequence)
        writer.signed(epoch)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        self.init(channelID: try reader.value(), sequence: try reader.signed(), epoch: try reader.signed())
    }
}

extension StreamMark: WireCodable {
    public func encode(to writer: inout WireWriter) {
        switch self {
        case .log(let head, let kind, let messageID):
            writer.byte(1)
            writer.value(head)
            writer.byte(kind.rawValue)
            writer.optional(messageID)
        case .version(let version):
            writer.byte(2)
            writer.unsigned(version)
        }
    }

    public init(from reader: inout WireReader) throws(WireError) {
        switch try reader.byte() {
        case 1:
            let head = try reader.value(ChannelHead.self)
            self = .log(head, try reader.eventKind(), messageID: try reader.optional(MessageID.self))
        case 2: self = .version(try reader.unsigned())
        case let other: throw .unknownCase(UInt64(other))
        }
    }
}

extension StreamControl: WireCodable {
    public func encode(to writer: inout WireWriter) {
        switch self {
        case .access(let changes):
            writer.byte(1)
            writer.list(changes)
        case .memberRemoved(let userID):
            writer.byte(2)
            writer.value(userID)
        case .streamEnded: writer.byte(3)
        case .guildJoined(let guildID):
            writer.byte(4)
            writer.value(guildID)
        case .loginEnded(let loginID):
            writer.byte(5)
            writer.value(loginID)
        case .credentialsRevoked: writer.byte(6)
        case .broken: writer.byte(8)
        case .guildLeft(let guildID):
            writer.byte(7)
            writer.value(guildID)
        }
    }

    public init(from reader: inout WireReader) throws(WireError) {
        switch try reader.byte() {
        case 1: self = .access(try reader.list())
        case 2: self = .memberRemoved(try reader.value())
        case 3: self = .streamEnded
        case 4: self = .guildJoined(try reader.value())
        case 5: self = .loginEnded(try reader.value())
        case 6: self = .credentialsRevoked
        case 7: self = .guildLeft(try reader.value())
        case 8: self = .broken
        case let other: throw .unknownCase(UInt64(other))
        }
    }
}

extension AccessChange: WireCodable {
    public func encode(to writer: inout WireWriter) {
        writer.value(userID)
        writer.list(Array(visibility.channels))
        writer.list(revealed.map(WireStreamEvent.init))
        writer.list(hidden.map(WireStreamEvent.init))
    }

    public init(from reader: inout WireReader) throws(WireError) {
        let userID = try reader.value(UserID.self)
        let channels = try reader.list(of: ChannelID.self)
        let revealed = try reader.list(of: WireStreamEvent.self).map(\.event)
        let hidden = try reader.list(of: WireStreamEvent.self).map(\.event)
        self.init(
            userID: userID, visibility: ChannelVisibility(Set(channels)), revealed: revealed, hidden: hidden)
    }
}
