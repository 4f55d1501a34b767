import FluxCluster
import FluxCore
import FluxRealtime
import FluxStore

/// What a node's relays hand out during a turn, in an order that does not depend on hashing.
final class NodeOutbox {
    /// Its owner. Neither this nor what else refers back in the world is weak: a weak reference makes every other reference to
    /// the same object slower, for as long as that lives.
    @exclusivity(unchecked) unowned(unsafe) var node: ChatNode?
    /// One for each node.
    @exclusivity(unchecked) private var frames: [(peer: NodeID, events: [RelayHub.Entry])] = []
    /// Room for the next turn's.
    @exclusivity(unchecked) private var emptyFrames: [(peer: NodeID, events: [RelayHub.Entry])] = []
    @exclusivity(unchecked) private var registrations: [(key: StreamKey, relay: Relay)] = []
    /// Registrations that are over.
    @exclusivity(unchecked) private var ended: [(owner: NodeID, key: StreamKey, registration: UInt64)] = []
    @exclusivity(unchecked) private var isDue = false

    func ways(world: ChatWorld) -> RelayHub.Ways {
        RelayHub.Ways(
            atEndOfTurn: { [unowned world] work in world.atEndOfTurn(work) },
            handOver: { [unowned self] _, events in
                guard let node else { return }
                for entry in events { node.registry.deliver(entry.event, of: entry.key) }
            },
            breakOff: { [unowned self] _, key in node?.breakStream(key) },
            succeed: { [unowned self] _, key, succession in node?.registry.succeed(key, succession) },
            whenWritten: { [unowned world] _, completion in world.atEndOfTurn(completion) },
            send: { [unowned self] peer, events in
                if let index = frames.firstIndex(where: { $0.peer == peer }) {
                    frames[index].events += events
                } else {
                    frames.append((peer, events))
                }
                schedule()
                return true
            },
            register: { [unowned self] key, relay in
                registrations.append((key, relay))
                schedule()
            },
            unregister: { [unowned self] owner, key, registration in
                ended.append((owner, key, registration))
                schedule()
            },
            sendAway: { [unowned self] peers, key in
                guard let node else { return }
                for peer in peers.sorted() {
                    node.world.send(from: node, to: peer) { [id = node.id] target in
                        target.relays.sentAway([key], by: id)
                    }
                }
            },
            isHome: { [unowned self] slot in node?.owned[slot] != nil })
    }

    private func schedule() {
        guard !isDue, let node else { return }
        isDue = true
        node.world.atEndOfTurn { [unowned self] in flush() }
    }

    /// Of one stream the order counts; of several any order will do, but always the same.
    private static func ordered(_ events: [RelayHub.Entry]) -> [RelayHub.Entry] {
        events.enumerated().sorted { ($0.element.key.id, $0.offset) < ($1.element.key.id, $1.offset) }.map(\.element)
    }

    private func flush() {
        isDue = false
        guard let node else { return }
        swap(&frames, &emptyFrames)
        if emptyFrames.count > 1 { emptyFrames.sort { $0.peer < $1.peer } }
        for (peer, events) in emptyFrames {
            var events = events.count > 1 ? Self.ordered(events) : events
            if let first = events.first {
                events[0].event = node.world.cluster.wire.carry(WireStreamEvent(first.event), from: node.id).event
            }
            node.world.send(from: node, to: peer) { [id = node.id] target in target.receiveEvents(events, from: id) }
        }
        emptyFrames.removeAll(keepingCapacity: true)
        if !ended.isEmpty { flushEnded(from: node) }
        guard !registrations.isEmpty else { return }
        let registrations = registrations
        self.registrations = []
        for registration in registrations.sorted(by: { $0.key.id < $1.key.id }) {
            node.register(registration.relay, of: registration.key)
        }
    }

    private func flushEnded(from node: ChatNode) {
        for (owner, key, registration) in ended.sorted(by: { $0.key.id < $1.key.id }) {
            node.world.send(from: node, to: owner) { [id = node.id] target in
                target.relays.detach(id, registration: registration, from: key, at: target.now)
            }
        }
        ended = []
    }
}
