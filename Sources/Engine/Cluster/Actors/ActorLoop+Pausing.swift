import DequeModule
import FluxCore

/// A slot of this loop whose callers wait, because it is about to be another node's.
struct SlotPause {
    /// Calls that came since, in order; no more than may wait for one activation.
    var held = Deque<any Delivery>()
    /// Calls that had begun before and are not answered.
    var running: Int
    /// Called once when there are none.
    var whenQuiet: (() -> Void)?
}

/// Slots whose callers wait (design 5): calls that have begun come to their end, later ones are held until the slot goes on
/// here or is another node's, and then run or are sent on in the order in which they came.
extension ActorLoop {
    /// Holds the callers of a slot from here on. `whenQuiet` is called on this loop when no call runs in its actors any
    /// more; never, if the slot is lost or goes on before that.
    func pause(_ slot: Slot, whenQuiet: @escaping @Sendable () -> Void) {
        executor.eventLoop.assertInEventLoop()
        guard ownership.epoch(of: slot) != nil, pauses[slot] == nil else { return }
        let isOfSlot = { [routing] (address: ActorAddress) in
            address.slot == slot && routing.isPlacedBySlot(address.kind)
        }
        pauses[slot] = SlotPause(
            held: Deque(directory.takeWaiting(where: isOfSlot)), running: directory.runningCount(where: isOfSlot),
            whenQuiet: whenQuiet)
        tellIfQuiet(slot)
    }

    /// Lets the callers of a slot in again, first those who waited.
    func resume(_ slot: Slot) {
        executor.eventLoop.assertInEventLoop()
        for delivery in endPause(of: slot) { deliver(delivery) }
    }

    /// Ends a pause; who waited.
    func endPause(of slot: Slot) -> [any Delivery] {
        guard let pause = pauses.removeValue(forKey: slot) else { return [] }
        return Array(pause.held)
    }

    /// Whether the delivery waits for the end of a pause, or was refused as too many do.
    func hold(_ delivery: any Delivery) -> Bool {
        let address = delivery.address
        guard let waiting = pauses[address.slot]?.held.count, routing.isPlacedBySlot(address.kind) else { return false }
        if waiting < system.limits.waitingPerActivation {
            pauses[address.slot]?.held.append(delivery)
        } else {
            system.metrics.refusals.increment()
            delivery.refuse(CallError.overloaded, in: self)
        }
        return true
    }

    /// A call has been answered.
    func ended(_ ticket: ActorTicket) {
        let slot = ticket.address.slot
        guard directory.finished(ticket), !pauses.isEmpty, pauses[slot] != nil,
            routing.isPlacedBySlot(ticket.address.kind)
        else { return }
        pauses[slot]?.running -= 1
        tellIfQuiet(slot)
    }

    private func tellIfQuiet(_ slot: Slot) {
        guard pauses[slot]?.running == 0, let whenQuiet = pauses[slot]?.whenQuiet else { return }
        pauses[slot]?.whenQuiet = nil
        whenQuiet()
    }
}
