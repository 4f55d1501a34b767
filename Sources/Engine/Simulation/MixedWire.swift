import FluxCluster

/// What two builds hear of each other: nodes with even numbers are a wire version ahead and say things that the others do not know
/// (I10). Of what nodes tell each other every so many messages are written as the sender's build does, and arrive as the receiver
/// has read them.
struct MixedWire: Sendable {
    /// All of them would cost as much again as the rest of the simulation.
    private static let interval = 64

    private var count = 0
    /// What was not read as it was meant.
    private(set) var misreadings: [String] = []

    /// Forgets what was found, as it has been reported.
    mutating func takeMisreadings() -> [String] {
        defer { misreadings = [] }
        return misreadings
    }

    /// What the receiver of a message makes of it.
    mutating func carry<Message: WireCodable & Equatable>(_ message: Message, from sender: NodeID) -> Message {
        count += 1
        guard count % Self.interval == 0 else { return message }
        return read(message, spokenIn: sender.rawValue.isMultiple(of: 2) ? .next : .own)
    }

    /// Writes a message and reads it.
    mutating func read<Message: WireCodable & Equatable>(_ message: Message, spokenIn dialect: WireDialect) -> Message {
        var reader = WireReader(message.encoded(dialect: dialect))
        do throws(WireError) {
            let heard: Message = try reader.value()
            if heard == message { return heard }
            misreadings.append("a \(Message.self) was read as something else")
        } catch {
            misreadings.append("a \(Message.self) could not be read: \(error)")
        }
        return message
    }
}
