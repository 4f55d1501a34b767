import FluxCore
import Testing

@testable import FluxRealtime

/// What the sessions of one member are told, as the streams pass it on: checks that nothing of a channel arrives that is
/// out of view at that point, and keeps the channels that a client would believe to exist.
struct GuildWatcher {
    let userID: UserID
    private(set) var visibility: ChannelVisibility
    /// What the client has been told of.
    private(set) var shown: Set<ChannelID>
    private(set) var received: [(kind: EventKind, body: [UInt8])] = []
    private(set) var isEnded = false

    init(_ userID: UserID, _ visibility: ChannelVisibility) {
        self.userID = userID
        self.visibility = visibility
        shown = visibility.channels
    }

    mutating func receive(_ events: [GuildEvent]) throws {
        for event in events where !isEnded { try receive(event) }
    }

    private mutating func receive(_ event: GuildEvent) throws {
        switch event.control {
        case .access(let changes)?:
            for change in changes where change.userID == userID {
                visibility = change.visibility
                for hidden in change.hidden {
                    let id = try #require(JSON.parse(hidden.body)["id"]?.snowflakeValue)
                    #expect(hidden.kind == .channelDelete)
                    #expect(shown.remove(id) != nil)
                    received.append((hidden.kind, hidden.body))
                }
                for revealed in change.revealed {
                    let id = try #require(JSON.parse(revealed.body)["id"]?.snowflakeValue)
                    #expect(revealed.kind == .channelCreate)
                    #expect(shown.insert(id).inserted)
                    received.append((revealed.kind, revealed.body))
                }
                #expect(visibility.channels == shown)
            }
        case .memberRemoved(let gone)? where gone == userID:
            isEnded = true
            received.append((event.kind, event.body))
        case .memberRemoved?: break
        case .streamEnded?:
            isEnded = true
            received.append((event.kind, event.body))
        default:
            let isFor =
                switch event.audience {
                case .everyone: true
                case .viewers(let channel): visibility.contains(channel)
                case .users(let users): users.contains(userID)
                case .nobody: false
                }
            if isFor { received.append((event.kind, event.body)) }
        }
    }

    mutating func takeKinds() -> [EventKind] {
        defer { received = [] }
        return received.map(\.kind)
    }
}
