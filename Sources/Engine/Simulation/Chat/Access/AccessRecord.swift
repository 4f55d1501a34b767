import FluxCore
import FluxRealtime

/// What members were told that they have lost, so that it can be seen that nothing of it reaches them (I7).
struct AccessRecord {
    /// Something that was taken, which somebody was told.
    struct Taken {
        /// Where in the guild's stream that stands.
        let position: StreamPosition
        /// When that was told.
        let publishedAt: Duration
        let acknowledgedAt: Duration
    }

    /// An owner has decided on a request.
    struct Decision {
        /// How many decisions there were of each of its channels and this member by then.
        fileprivate let counts: [Int]
        /// When, and where in the guild's stream, that was told.
        fileprivate(set) var time: Duration
        fileprivate(set) var position: StreamPosition

        /// It is durable and told.
        mutating func published(at time: Duration, _ position: StreamPosition) {
            self.time = time
            self.position = position
        }
    }

    private struct Place: Hashable {
        let userID: UserID
        let channel: ChannelID
    }

    private var counts: [Place: Int] = [:]
    /// By client: every event of a session is looked up.
    private var taken: [[(channel: ChannelID, Taken)]]

    /// - Parameter clients: how many there are.
    init(clients: Int) { taken = Array(repeating: [], count: clients) }

    /// Whether anything was taken from the member and not given back.
    func hasLost(_ userID: UserID) -> Bool { !taken[ChatClient.number(of: userID)].isEmpty }

    /// What was taken from the member and not given back.
    func taken(_ channel: ChannelID, from userID: UserID) -> Taken? {
        let own = taken[ChatClient.number(of: userID)]
        guard !own.isEmpty else { return nil }
        return own.first { $0.channel == channel }?.1
    }

    /// An owner decides on a request. What is given back may be seen from here on.
    /// - Parameter isChange: whether anything changes by it.
    mutating func decided(
        _ request: AccessRequest, isChange: Bool, at time: Duration, _ position: StreamPosition
    ) -> Decision {
        let places = request.channels.map { Place(userID: request.userID, channel: $0) }
        if isChange {
            for place in places { counts[place, default: 0] += 1 }
            if !request.isTaking { giveBack(request) }
        }
        return Decision(counts: places.map { counts[$0] ?? 0 }, time: time, position: position)
    }

    /// Whoever asked is told that it is done.
    mutating func acknowledged(_ request: AccessRequest, _ decision: Decision, at time: Duration) {
        guard request.isTaking else { return }
        for (channel, count) in zip(request.channels, decision.counts) {
            // Decided otherwise since.
            guard counts[Place(userID: request.userID, channel: channel)] ?? 0 == count else { continue }
            let number = ChatClient.number(of: request.userID)
            guard !taken[number].contains(where: { $0.channel == channel }) else { continue }
            taken[number].append(
                (
                    channel,
                    Taken(
                        position: decision.position, publishedAt: decision.time,
                        acknowledgedAt: time)
                ))
        }
    }

    private mutating func giveBack(_ request: AccessRequest) {
        let channels = request.channels
        taken[ChatClient.number(of: request.userID)].removeAll { channels.contains($0.channel) }
    }
}
