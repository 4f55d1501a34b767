import Collections
import FluxCore

/// Keeps the answers to op 100 in the order of the sends, per channel (protocol 10.2). Bounded by the session's sends in flight.
struct PendingAcknowledgements: Sendable {
    /// How many sends of one session may be unanswered; the next is refused.
    static let maximumInFlight = 1024

    struct Entry: Sendable {
        let ticket: UInt64
        var answer: [UInt8]?
    }

    private(set) var queues: [ChannelID: Deque<Entry>] = [:]
    /// The newest ticket.
    var lastTicket: UInt64 = 0
    private(set) var inFlight = 0

    /// A send to `channel` begins. - Returns: its ticket; nil at the bound.
    mutating func begin(_ channel: ChannelID) -> UInt64? {
        lastTicket &+= 1
        guard keep(Entry(ticket: lastTicket), of: channel) else { return nil }
        return lastTicket
    }

    /// Takes in what a session brings along. - Returns: false at the bound.
    mutating func keep(_ entry: Entry, of channel: ChannelID) -> Bool {
        guard inFlight < Self.maximumInFlight else { return false }
        inFlight += 1
        queues[channel, default: []].append(entry)
        return true
    }

    /// The answer to a send is here. - Returns: the answers that may leave now, in order.
    mutating func finish(_ ticket: UInt64, of channel: ChannelID, with answer: [UInt8]) -> [[UInt8]] {
        guard var queue = queues.removeValue(forKey: channel) else { return [] }
        if let index = queue.firstIndex(where: { $0.ticket == ticket }) { queue[index].answer = answer }
        var ready: [[UInt8]] = []
        while let answer = queue.first?.answer {
            queue.removeFirst()
            inFlight -= 1
            ready.append(answer)
        }
        if !queue.isEmpty { queues[channel] = queue }
        return ready
    }
}
