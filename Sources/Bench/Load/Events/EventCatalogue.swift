/// Everything that the sessions of one event loop have been told about channels: what stands at each place. Two different
/// events at one place are a conflict.
///
/// Takes about 100 bytes an event, and events are those of the run, so it grows with rate and duration.
struct EventCatalogue {
    /// By channel, by place.
    private(set) var events: [[Place: EventIdentity]]

    init(channels: Int) { events = Array(repeating: [:], count: channels) }

    /// Notes what stands at a place. - Returns: what was there before, if it is something else.
    mutating func note(_ identity: EventIdentity, at place: Place, in channel: Int) -> EventIdentity? {
        if let known = events[channel][place] { return known == identity ? nil : known }
        events[channel][place] = identity
        return nil
    }

    /// Where a message was shown, at its latest. Looks at all that is known of the channel: for retractions, which are few.
    func place(ofMessage message: UInt64, in channel: Int) -> Place? {
        events[channel].filter { $0.value == EventIdentity(kind: .created, message: message) }.keys.max()
    }

    /// Takes in what another loop has been told. - Returns: the contradictions, by channel.
    mutating func merge(_ other: EventCatalogue) -> [(
        channel: Int, place: Place, one: EventIdentity, other: EventIdentity
    )] {
        var conflicts: [(Int, Place, EventIdentity, EventIdentity)] = []
        for (channel, places) in other.events.enumerated() {
            for (place, identity) in places {
                if let known = note(identity, at: place, in: channel) {
                    conflicts.append((channel, place, known, identity))
                }
            }
        }
        return conflicts
    }
}
