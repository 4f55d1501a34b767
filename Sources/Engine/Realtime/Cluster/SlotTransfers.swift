import FluxCluster
import FluxCore
import NIOConcurrencyHelpers

/// Brings what the actors of a slot know, and Postgres does not, to the slot's next owner. Safe from every thread.
///
/// At most one transfer a slot is under way; the keeper of slots looks after its time and calls it off when the link breaks.
final class SlotTransfers: Sendable {
    /// What the frames carry. A number never changes its meaning.
    enum Frame {
        static let memory: ClusterEvent = 18
        static let taken: ClusterEvent = 19
    }

    private struct Transfer {
        let epoch: Epoch
        let completion: @Sendable (Bool) -> Void
    }

    private let services: EngineServices
    private let transfers = NIOLockedValueBox<[Slot: Transfer]>([:])

    init(_ services: EngineServices) { self.services = services }

    /// Begins to take in frames. Before the system starts.
    func register() {
        services.system.register(event: Frame.memory) { [weak self] peer, reader in
            self?.receiveMemory(from: peer, &reader)
        }
        services.system.register(event: Frame.taken) { [weak self] _, reader in self?.receiveTaken(&reader) }
    }

    /// Sends what is known of a slot that is paused, once every relay has applied what its streams have emitted. Calls back
    /// when the node has it; with false when it could not be sent.
    func send(_ slot: Slot, _ epoch: Epoch, to node: NodeID, _ completion: @escaping @Sendable (Bool) -> Void) {
        transfers.withLockedValue { $0[slot] = Transfer(epoch: epoch, completion: completion) }
        let (services, home) = (services, services.mesh.index(of: slot))
        services.run(on: home) { loop in
            let streams = loop.streams(of: slot)
            Task(executorPreference: loop.executor) {
                await withTaskGroup(of: Void.self) { group in
                    for (key, position) in streams { group.addTask { await loop.confirm(key, upTo: position) } }
                }
                services.run(on: home) { loop in self.send(loop.memory(of: slot), of: slot, epoch, to: node) }
            }
        }
    }

    private func send(_ memory: SlotMemory, of slot: Slot, _ epoch: Epoch, to node: NodeID) {
        let isSent = services.system.send(event: Frame.memory, to: node) { writer in
            writer.value(slot)
            writer.signed(epoch)
            writer.value(memory)
        }
        if !isSent { end(slot, epoch, succeeded: false) }
    }

    private func receiveMemory(from peer: NodeID, _ reader: inout WireReader) {
        guard let slot = try? reader.value(Slot.self), let epoch: Epoch = try? reader.signed(),
            let memory = try? reader.value(SlotMemory.self)
        else { return }
        services.slotMemories.keep(memory, of: slot, epoch, at: services.clock.milliseconds)
        services.system.send(event: Frame.taken, to: peer, over: .control) { writer in
            writer.value(slot)
            writer.signed(epoch)
        }
    }

    private func receiveTaken(_ reader: inout WireReader) {
        guard let slot = try? reader.value(Slot.self), let epoch: Epoch = try? reader.signed() else { return }
        end(slot, epoch, succeeded: true)
    }

    private func end(_ slot: Slot, _ epoch: Epoch, succeeded: Bool) {
        let transfer = transfers.withLockedValue { transfers -> Transfer? in
            guard transfers[slot]?.epoch == epoch else { return nil }
            return transfers.removeValue(forKey: slot)
        }
        transfer?.completion(succeeded)
    }
}

extension EngineLoop {
    /// What the active actors of a slot know and Postgres does not.
    func memory(of slot: Slot) -> SlotMemory {
        var memory = SlotMemory()
        for actor in services.system.active(in: slot) {
            if let user = actor as? UserActor {
                memory.users.append(user.assumeIsolated { $0.memory })
            } else if let guild = actor as? GuildActor {
                memory.guilds.append(guild.assumeIsolated { $0.memory })
            }
        }
        return memory
    }
}
