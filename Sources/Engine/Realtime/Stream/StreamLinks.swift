import FluxCluster
import FluxCore
import Logging
import NIOConcurrencyHelpers

/// A node's ways to the relays of other nodes, and their ways to it: frames in and out, and the leases. Safe from every thread;
/// what it decides stands in `RelayLeases` and in each loop's `RelayHub`.
final class StreamLinks: Sendable {
    /// What the frames between relays carry. A number never changes its meaning.
    enum Frame {
        static let events: ClusterEvent = 1
        static let heads: ClusterEvent = 2
        static let unregister: ClusterEvent = 3
        static let leaseAsked: ClusterEvent = 4
        static let leaseGranted: ClusterEvent = 5
        static let confirm: ClusterEvent = 6
        static let confirmed: ClusterEvent = 7
        static let claims: ClusterEvent = 8
        static let sentAway: ClusterEvent = 9
    }

    static let claimsOfAFrame = 8_192
    /// Bytes of events after which a frame is closed and another one begun.
    static let frameBytes = 1 << 20

    private let system: ClusterActorSystem
    private let mesh: LoopMesh
    private let clock: EngineClock
    private let logger: Logger
    private let leases = NIOLockedValueBox(RelayLeases())

    init(system: ClusterActorSystem, mesh: LoopMesh, clock: EngineClock, logger: Logger) {
        self.system = system
        self.mesh = mesh
        self.clock = clock
        self.logger = logger
    }

    private var now: UInt64 { clock.milliseconds }

    /// Begins to take in frames. Before the system starts.
    func register() {
        system.register(event: Frame.events) { [self] peer, reader in receiveEvents(from: peer, &reader) }
        system.register(event: Frame.heads) { [self] peer, reader in receiveHeads(from: peer, &reader) }
        system.register(event: Frame.unregister) { [self] peer, reader in receiveEnd(from: peer, &reader) }
        system.register(event: Frame.leaseAsked) { [self] peer, reader in receiveAsking(from: peer, &reader) }
        system.register(event: Frame.leaseGranted) { [self] peer, reader in receiveGrant(from: peer, &reader) }
        system.register(event: Frame.confirm) { [self] peer, reader in receiveConfirm(from: peer, &reader) }
        system.register(event: Frame.confirmed) { [self] peer, reader in receiveConfirmed(from: peer, &reader) }
        system.register(event: Frame.claims) { [self] peer, reader in receiveClaims(from: peer, &reader) }
        system.register(event: Frame.sentAway) { [self] peer, reader in receiveSentAway(from: peer, &reader) }
        system.registerLinkObserver { [self] peer in onEachLoop { $0.relays.mistrust(peer) } }
        system.registerOwnerObserver { [self] loop, slots in
            mesh.run(on: loop) { $0.relays.ownersChanged(slots) }
            onEachLoop { $0.slotsMoved(slots) }
        }
    }

    // MARK: Sending

    /// Sends events to the relays of a node; false if some could not be sent.
    func send(_ events: [RelayHub.Entry], to peer: NodeID) -> Bool {
        var rest = events[...]
        while !rest.isEmpty {
            var bytes = 0
            let end =
                rest.firstIndex { entry in
                    bytes += entry.event.cost
                    return bytes > Self.frameBytes
                } ?? rest.endIndex
            let part = rest[..<max(end, rest.startIndex + 1)]
            let isSent = system.send(event: Frame.events, to: peer) { writer in
                writer.unsigned(UInt(part.count))
                for entry in part {
                    writer.value(entry.key)
                    writer.value(WireStreamEvent(entry.event))
                }
            }
            guard isSent else { return false }
            rest = rest[part.endIndex...]
        }
        return true
    }

    func send(_ heads: [StreamHead], to peer: NodeID) -> Bool {
        system.send(event: Frame.heads, to: peer) { $0.list(heads) }
    }

    /// Says what this node holds that it is sent by another.
    func send(_ claims: [RelayClaim], to owner: NodeID) {
        for start in stride(from: 0, to: claims.count, by: Self.claimsOfAFrame) {
            let page = Array(claims[start..<min(start + Self.claimsOfAFrame, claims.count)])
            system.send(event: Frame.claims, to: owner) { $0.list(page) }
        }
    }

    /// Says that this node does not send these streams.
    func sendAway(_ keys: [StreamKey], to peer: NodeID) {
        system.send(event: Frame.sentAway, to: peer) { $0.list(keys) }
    }

    func sendEnd(of key: StreamKey, registration: UInt64, to owner: NodeID) {
        system.send(event: Frame.unregister, to: owner) { writer in
            writer.value(key)
            writer.unsigned(registration)
        }
    }

    /// Asks the owners for leases.
    func renewLeases(from owners: Set<NodeID>) {
        let now = now
        for owner in owners { system.send(event: Frame.leaseAsked, to: owner) { $0.unsigned(now) } }
    }

    /// Asks a node to say when its relay of a stream has applied everything up to a position.
    func askToConfirm(_ head: StreamHead, ticket: UInt64, peer: NodeID) {
        system.send(event: Frame.confirm, to: peer) { writer in
            writer.value(head)
            writer.unsigned(ticket)
        }
    }

    // MARK: Leases

    /// A registration from this loop was answered by an owner which it reached after `asked`: as good as a grant. Before the answer
    /// is taken in, which is to be trusted.
    func registered(with owner: NodeID, askedAt asked: UInt64, on loop: EngineLoop) {
        guard owner != system.identity.id else { return }
        let now = now
        guard leases.withLockedValue({ $0.revived(by: owner, askedAt: asked, at: now) }) else { return }
        // The owner may have taken this node for gone, and sends its other streams no more. The next grant will not tell.
        loop.relays.mistrust(owner)
        for other in 0..<mesh.count where other != loop.index { mesh.run(on: other) { $0.relays.mistrust(owner) } }
    }

    /// A node's relay registers with an owner here.
    func grant(to peer: NodeID) {
        let now = now
        leases.withLockedValue { $0.grant(to: peer, at: now) }
    }

    /// Whether a node may still pass on what this one sent it.
    func mayDeliver(_ peer: NodeID) -> Bool {
        let now = now
        return leases.withLockedValue { now < $0.grantedUntil(peer) }
    }

    // MARK: Receiving

    private func receiveEvents(from peer: NodeID, _ reader: inout WireReader) {
        var byLoop: [Int: [RelayHub.Entry]] = [:]
        do throws(WireError) {
            for _ in 0..<(try reader.unsigned(UInt.self)) {
                let key = try reader.value(StreamKey.self)
                let event = try reader.value(WireStreamEvent.self).event
                byLoop[mesh.index(of: key.slot), default: []].append((key, event))
            }
        } catch {
            // A gap, which the next event or head shows.
            logger.error("events of node \(peer) cannot be read: \(error)")
            return
        }
        let now = now
        let isLeased = leases.withLockedValue { $0.isHeld(from: peer, at: now) }
        for (loop, events) in byLoop {
            mesh.run(on: loop) { loop in
                if isLeased { loop.relays.receive(events, from: peer) } else { loop.relays.mistrust(peer) }
            }
        }
    }

    private func receiveHeads(from peer: NodeID, _ reader: inout WireReader) {
        guard let heads = try? reader.list(of: StreamHead.self) else { return }
        let byLoop = Dictionary(grouping: heads) { mesh.index(of: $0.key.slot) }
        for (loop, heads) in byLoop { mesh.run(on: loop) { $0.relays.receive(heads, from: peer) } }
    }

    private func receiveClaims(from peer: NodeID, _ reader: inout WireReader) {
        guard let claims = try? reader.list(of: RelayClaim.self) else { return }
        for (loop, claims) in Dictionary(grouping: claims, by: { mesh.index(of: $0.key.slot) }) {
            mesh.run(on: loop) { [self] loop in
                let answer = loop.relays.judge(claims, of: peer)
                if !answer.unfounded.isEmpty { sendAway(answer.unfounded, to: peer) }
                if !answer.behind.isEmpty { _ = send(answer.behind, to: peer) }
            }
        }
    }

    private func receiveSentAway(from peer: NodeID, _ reader: inout WireReader) {
        guard let keys = try? reader.list(of: StreamKey.self) else { return }
        for (loop, keys) in Dictionary(grouping: keys, by: { mesh.index(of: $0.slot) }) {
            mesh.run(on: loop) { $0.relays.sentAway(keys, by: peer) }
        }
    }

    private func receiveEnd(from peer: NodeID, _ reader: inout WireReader) {
        guard let key = try? reader.value(StreamKey.self), let registration = try? reader.unsigned(UInt64.self) else {
            return
        }
        mesh.run(on: mesh.index(of: key.slot)) { loop in
            loop.relays.detach(peer, registration: registration, from: key, at: loop.now)
        }
    }

    private func receiveAsking(from peer: NodeID, _ reader: inout WireReader) {
        guard let asked = try? reader.unsigned(UInt64.self) else { return }
        grant(to: peer)
        system.send(event: Frame.leaseGranted, to: peer) { $0.unsigned(asked) }
    }

    private func receiveGrant(from peer: NodeID, _ reader: inout WireReader) {
        let now = now
        // A moment that this node's clock has not reached was never asked for.
        guard let asked = try? reader.unsigned(UInt64.self), asked <= now else { return }
        let lapsed = leases.withLockedValue { $0.renewed(by: peer, askedAt: asked, at: now) }
        if lapsed { onEachLoop { $0.relays.mistrust(peer) } }
    }

    private func receiveConfirm(from peer: NodeID, _ reader: inout WireReader) {
        guard let key = try? reader.value(StreamKey.self), let position = try? reader.value(StreamPosition.self),
            let ticket = try? reader.unsigned(UInt64.self)
        else { return }
        let system = system
        mesh.run(on: mesh.index(of: key.slot)) { loop in
            // A relay that is behind is asked again.
            guard loop.relays.hasApplied(key, position) else { return }
            loop.relays.confirm(key) {
                system.send(event: Frame.confirmed, to: peer) { writer in
                    writer.value(key)
                    writer.unsigned(ticket)
                }
            }
        }
    }

    private func receiveConfirmed(from peer: NodeID, _ reader: inout WireReader) {
        guard let key = try? reader.value(StreamKey.self), let ticket = try? reader.unsigned(UInt64.self) else {
            return
        }
        mesh.run(on: mesh.index(of: key.slot)) { loop in loop.confirmations.confirmed(ticket, by: peer)?() }
    }

    private func onEachLoop(_ body: @escaping @Sendable (EngineLoop) -> Void) {
        for loop in 0..<mesh.count { mesh.run(on: loop, body) }
    }
}
