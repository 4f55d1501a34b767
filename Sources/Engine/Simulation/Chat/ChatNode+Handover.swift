import FluxCluster
import FluxCore
import FluxRealtime

/// What a planned hand-over brings to a slot's next owner: what `SlotTransfers` and `EngineLoop.memory` do.
extension ChatNode {
    /// Sends what is known of a slot that is paused and not stored, once every relay has applied what its streams have emitted.
    func leave(_ slot: Slot, _ epoch: Epoch, to successor: NodeID) {
        let streams = streams(of: slot)
        guard !streams.isEmpty else {
            return world.atEndOfTurn { [self] in
                world.change { $0.leaveNothing(slot, epoch, of: id, to: successor) }
            }
        }
        var open = streams.count
        for (key, position) in streams {
            confirm(key, upTo: position) { [self] in
                open -= 1
                if open == 0 { sendMemory(of: slot, epoch, to: successor) }
            }
        }
    }

    private func sendMemory(of slot: Slot, _ epoch: Epoch, to successor: NodeID) {
        guard isRunning, owned[slot] == epoch else { return }
        var memory = SlotMemory()
        memory.users = users(of: slot).map(\.memory)
        let carried = world.cluster.wire.carry(memory, from: id)
        world.send(from: self, to: successor) { [id] target in
            target.memories.keep(carried, of: slot, epoch, at: target.now)
            target.world.send(from: target, to: id) { owner in
                owner.world.change { $0.left(slot, epoch, of: owner.id) }
            }
        }
    }

    private func users(of slot: Slot) -> [UserOwner] {
        guard world.isUsed(slot) else { return [] }
        return world.society.users.compactMap { Slot(of: $0) == slot ? people.users[$0] : nil }
    }

    private func streams(of slot: Slot) -> [(key: StreamKey, position: StreamPosition)] {
        guard world.isUsed(slot) else { return [] }
        let guilds = world.guilds.compactMap { $0.slot == slot ? owners[$0.id] : nil }
        return guilds.map { ($0.guild.key, $0.position) } + users(of: slot).map { ($0.key, $0.position) }
    }
}
