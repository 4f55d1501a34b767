import FluxCluster
import FluxCore

/// Calls to the owners of slots, as the actor system carries them: to whom the table names, on to whom an answer names, until
/// the deadline; failed when the link breaks.
extension ChatNode {
    /// A call that has had no answer.
    struct PendingCall {
        let peer: NodeID
        let fail: () -> Void
    }

    /// Asks whoever owns the slot; nil when there was no answer in time, or none can come any more.
    /// - Parameter perform: runs at the owner.
    func call<Reply>(
        _ slot: Slot, deadline: Duration, _ perform: @escaping (ChatNode, @escaping (Reply?) -> Void) -> Void,
        _ completion: @escaping (Reply?) -> Void
    ) {
        attempt(slot, until: world.now + deadline, perform, completion)
    }

    private func attempt<Reply>(
        _ slot: Slot, until end: Duration, _ perform: @escaping (ChatNode, @escaping (Reply?) -> Void) -> Void,
        _ completion: @escaping (Reply?) -> Void
    ) {
        guard world.now < end else {
            world.auditor.trace(world.now, "node \(id) does not reach the owner of \(slot); it knows of \(slots[slot])")
            return completion(nil)
        }
        guard let owner = slots.owner(of: slot) else {
            return world.after(.milliseconds(50), on: self) { [self] in attempt(slot, until: end, perform, completion) }
        }
        guard owner != id else {
            return admit(slot) { [self] isOwner in
                guard !isOwner else { return perform(self, completion) }
                world.after(.milliseconds(20), on: self) { [self] in attempt(slot, until: end, perform, completion) }
            }
        }
        lastCall += 1
        let number = lastCall
        calls[number] = PendingCall(peer: owner) { completion(nil) }
        world.after(end - world.now, on: self) { [self] in calls.removeValue(forKey: number)?.fail() }
        world.send(from: self, to: owner) { [self] target in
            target.admit(slot) { isOwner in
                guard isOwner else {
                    let known = target.slots[slot]
                    return target.world.send(from: target, to: self.id) { _ in
                        self.redirected(number, slot, known, until: end, perform, completion)
                    }
                }
                perform(target) { reply in
                    target.world.send(from: target, to: self.id) { _ in
                        if self.calls.removeValue(forKey: number) != nil { completion(reply) }
                    }
                }
            }
        }
    }

    private func redirected<Reply>(
        _ number: UInt64, _ slot: Slot, _ known: SlotTable.Assignment, until end: Duration,
        _ perform: @escaping (ChatNode, @escaping (Reply?) -> Void) -> Void, _ completion: @escaping (Reply?) -> Void
    ) {
        guard calls.removeValue(forKey: number) != nil else { return }
        if let node = known.node, node != id { learn([Route(slot: slot, node: node, epoch: known.epoch)]) }
        world.after(.milliseconds(20), on: self) { [self] in attempt(slot, until: end, perform, completion) }
    }

    /// Lets a call in: at once, or when the slot's hand-over is decided; false if the slot is not this node's.
    private func admit(_ slot: Slot, _ body: @escaping (Bool) -> Void) {
        guard owned[slot] != nil else { return body(false) }
        guard held[slot] == nil else {
            held[slot]?.append { [self] in admit(slot, body) }
            return
        }
        body(true)
    }

    func failCalls(to peer: NodeID) {
        for number in calls.keys.sorted() where calls[number]?.peer == peer {
            calls.removeValue(forKey: number)?.fail()
        }
    }
}
