import FluxCore
import NIOCore

/// Calls that reach nobody now: they wait here instead of failing, and leave when the routing names another owner, when a link
/// comes up, or, as neither may ever be heard of, from time to time (design 4).
extension ActorLoop {
    /// What there is to hope for.
    enum Hope {
        /// Somebody was just named: it is tried again at once.
        case named
        /// Somebody will be soon, and may not tell.
        case soon
        /// News of the slot or of a link.
        case news
    }

    /// Lets a call wait; it fails at once at a bound, or when it has waited too long already.
    func stall(_ call: OutstandingCall, _ hope: Hope = .news) {
        executor.eventLoop.assertInEventLoop()
        guard call.token != nil, !call.isStalled else { return }
        call.sentTo = nil
        guard !isStopped else { return end(call, CallError.unreachable) }
        let now = Self.currentTick()
        if call.stallEnd == nil { system.metrics.stalled.increment() }
        let limit = call.stallEnd ?? now + system.limits.stallTime.nanoseconds / Self.tick.nanoseconds
        call.stallEnd = limit
        guard now < limit else { return end(call, stalledTooLong(call)) }
        let exponent = Int64(min(max(call.attempts, 1) - 1, 5))
        let isFirst = !stalled.holds(call.address)
        guard
            stalled.stall(
                call, order: call.order, bytes: call.argumentSize, at: call.address, until: limit,
                nextTry: now + (1 << min(exponent, 3)))
        else {
            system.metrics.refusals.increment()
            return end(call, CallError.overloaded)
        }
        call.isStalled = true
        let address = call.address
        switch hope {
        case .named: post { $0.wakeStalled { $0 == address } }
        case .soon where isFirst:
            executor.eventLoop.scheduleTask(in: .milliseconds(10 << exponent)) { self.wakeStalled { $0 == address } }
        case .soon, .news: break
        }
    }

    /// Sends those on their way that wait for an actor for which the condition holds.
    func wakeStalled(where condition: (ActorAddress) -> Bool) {
        guard !stalled.isEmpty else { return }
        routeAgain(stalled.take(where: condition))
    }

    /// Other slots have other owners now.
    func wakeStalled(in slots: [Slot]) {
        let slots = Set(slots)
        guard !stalled.isEmpty, !slots.isEmpty else { return }
        let woken = stalled.take { slots.contains($0.slot) }
        // What was in vain before says nothing of the new owner.
        for call in woken { call.attempts = 0 }
        routeAgain(woken)
    }

    /// A node is linked.
    func linkMade(to node: NodeID) {
        wakeStalled { [routing] in routing.destination(of: $0) == .node(node) }
    }

    /// Once a tick while calls wait for an answer.
    func tryStalled() {
        guard !stalled.isEmpty else { return }
        let now = Self.currentTick()
        for call in stalled.expire(at: now) {
            call.isStalled = false
            end(call, stalledTooLong(call))
        }
        routeAgain(stalled.takeDue(at: now))
    }

    /// Fails everybody who waits, and whoever would have to from now on.
    func stopStalling() {
        isStopped = true
        for call in stalled.take(where: { _ in true }) {
            call.isStalled = false
            end(call, CallError.unreachable)
        }
    }

    /// A call has ended while it waited.
    func forgetStalled(_ call: OutstandingCall) {
        guard call.isStalled else { return }
        call.isStalled = false
        stalled.remove(order: call.order, at: call.address)
    }

    private func routeAgain(_ calls: [OutstandingCall]) {
        for call in calls { call.isStalled = false }
        for call in calls where call.token != nil { route(call) }
    }

    private func stalledTooLong(_ call: OutstandingCall) -> CallError {
        let known = routing.slots[call.address.slot]
        return .notOwner(node: known.node, epoch: known.epoch)
    }
}
