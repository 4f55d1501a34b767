import FluxCluster
import FluxCore
import NIOConcurrencyHelpers

/// Brings what the actors of a slot know, and Postgres does not, to the slot's next owner. Safe from every thread.
///
/// At most one transfer a slot is under way; the keeper of slots looks after its time and calls it off when the link breaks. What
/// comes late for one that was called off does not end the next.
final class SlotTransfers: Sendable {
    /// What the frames carry. A number never changes its meaning.
    enum Frame {
        static let memory: ClusterEvent = 18
        static let taken: ClusterEvent = 19
    }

    private struct Transfer {
        let number: UInt64
        let epoch: Epoch
        let node: NodeID
        let completion: @Sendable (Bool) -> Void
        var isSent = false
    }

    private struct State {
        var transfers: [Slot: Transfer] = [:]
        var lastNumber: UInt64 = 0
    }

    private let services: EngineServices
    private let state = NIOLockedValueBox(State())

    init(_ services: EngineServices) { self.services = services }

    /// Begins to take in frames. Before the system starts.
    func register() {
        services.system.register(event: Frame.memory) { [weak self] peer, reader in
            self?.receiveMemory(from: peer, &reader)
        }
        services.system.register(event: Frame.taken) { [weak self] peer, reader in
            self?.receiveTaken(from: peer, &reader)
        }
    }

    /// Sends what is known of a slot that is paused, once every relay has applied what its streams have emitted. Calls back
    /// when the node has it; with false when it could not be sent.
    func send(_ slot: Slot, _ epoch: Epoch, to node: NodeID, _ completion: @escaping @Sendable (Bool) -> Void) {
        let number = state.withLockedValue { state in
            state.lastNumber += 1
            state.transfers[slot] = Transfer(
                number: state.lastNumber, epoch: epoch, node: node, completion: completion)
            return state.lastNumber
        }
        let (services, home) = (services, services.mesh.index(of: slot))
        services.run(on: home) { loop in
            let streams = loop.streams(of: slot)
            Task(executorPreference: loop.executor) {
                await withTaskGroup(of: Void.self) { group in
                    for (key, position) in streams { group.addTask { await loop.confirm(key, upTo: position) } }
                }
                services.run(on: home) { loop in
                    guard self.isSending(slot, number) else { return }
                    self.send(loop.memory(of: slot), of: slot, epoch, to: node, number)
                }
            }
        }
    }

    /// The slot's transfer is called off, if there is one.
    func cancel(_ slot: Slot) { state.withLockedValue { $0.transfers[slot] = nil } }

    /// Whether the transfer still stands; from now on it counts as sent.
    private func isSending(_ slot: Slot, _ number: UInt64) -> Bool {
        state.withLockedValue { state in
            guard state.transfers[slot]?.number == number else { return false }
            state.transfers[slot]?.isSent = true
            return true
        }
    }

    private func send(_ memory: SlotMemory, of slot: Slot, _ epoch: Epoch, to node: NodeID, _ number: UInt64) {
        let isSent = services.system.send(event: Frame.memory, to: node) { writer in
            writer.value(slot)
            writer.signed(epoch)
            writer.value(memory)
        }
        if !isSent { end(slot, succeeded: false) { $0.number == number } }
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

    private func receiveTaken(from peer: NodeID, _ reader: inout WireReader) {
        guard let slot = try? reader.value(Slot.self), let epoch: Epoch = try? reader.signed() else { return }
        end(slot, succeeded: true) { $0.epoch == epoch && $0.node == peer && $0.isSent }
    }

    private func end(_ slot: Slot, succeeded: Bool, where isMeant: (Transfer) -> Bool) {
        let transfer = state.withLockedValue { state -> Transfer? in
            guard let transfer = state.transfers[slot], isMeant(transfer) else { return nil }
            return state.transfers.removeValue(forKey: slot)
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
