import FluxCore
import NIOCore

/// The calls that this loop waits for: from where they begin, over every way they are sent, to how they end.
extension ActorLoop {
    /// Takes a call on and sends it on its way.
    func begin(_ call: OutstandingCall) {
        executor.eventLoop.assertInEventLoop()
        guard let token = calls.insert(call, deadline: Self.tick(of: call.deadline)) else {
            system.metrics.refusals.increment()
            return call.fail(CallError.overloaded)
        }
        call.token = token
        callsBegun += 1
        call.order = callsBegun
        startTicking()
        route(call)
    }

    /// Ends a call, if it still waits, with what `end` tells its caller.
    func settle(_ call: OutstandingCall, _ end: (OutstandingCall) -> Void) {
        executor.eventLoop.assertInEventLoop()
        guard let token = call.token, calls.remove(token) != nil else { return }
        call.token = nil
        forgetStalled(call)
        end(call)
    }

    /// Ends a call, if it still waits, with an error. An error which says that nothing ran says nothing of an earlier try.
    func end(_ call: OutstandingCall, _ error: any Error) {
        let isHarmless = (error as? CallError)?.isHarmless == true
        settle(call) { $0.fail(isHarmless && $0.mayHaveRun ? CallError.unreachable : error) }
    }

    /// A call came back with an error. One that its actor has not begun, because its slot is lost, goes on to the new owner; one
    /// that the actor had begun only if running it twice does no harm.
    func failed(_ call: OutstandingCall, _ error: any Error) {
        switch error as? CallError {
        case .notOwner(let node, let epoch): redirected(call, node: node, epoch: epoch)
        case .slotLost: again(call, CallError.slotLost)
        default: end(call, error)
        }
    }

    /// The call did not run because its slot is not where it was sent: once more, to where it is.
    func redirected(_ call: OutstandingCall, node: NodeID?, epoch: Epoch) {
        guard call.token != nil else { return }
        system.metrics.redirections.increment()
        if let node {
            system.learn(call.address.slot, node: node, epoch: epoch)
        }
        // The first time it is worth to try at once; whoever sends calls to and fro is asked less and less often.
        stall(call, call.attempts <= 1 ? .named : .soon)
    }

    /// A reply came from another node.
    func receive(_ head: ClusterFrame.ReplyHead, body: WireReader, from node: NodeID) {
        guard let call = calls.element(.init(rawValue: head.reference.token)), call.sentTo == node else { return }
        switch head.outcome {
        case .success:
            var body = body
            settle(call) { $0.receive(&body) }
        case .redirect(let node, let epoch):
            redirected(call, node: node, epoch: epoch)
        case .failure(let error):
            failed(call, error)
        case .refused(let number):
            let error = system.failure(number, from: body)
            settle(call) { $0.fail(error) }
        }
    }

    /// The link to the node broke: its calls are made again if that does no harm, else they fail.
    func linkLost(to node: NodeID) {
        for call in calls.elements.filter({ $0.sentTo == node }).sorted(by: { $0.order < $1.order }) {
            again(call, CallError.unreachable)
        }
    }

    /// Sends a call on its way, behind those to the same actor that wait for a way.
    func route(_ call: OutstandingCall) {
        guard stalled.isEmpty || !stalled.holds(call.address) else { return stall(call) }
        call.attempts += 1
        switch routing.destination(of: call.address) {
        case .here:
            call.sentTo = nil
            let loop = system.loop(of: call.address)
            if !system.mesh.offer(to: loop.executor.index, { loop.deliver(call) }) {
                system.metrics.refusals.increment()
                end(call, CallError.overloaded)
            }
        case .node(let node):
            send(call, to: node)
        case .unowned:
            stall(call)
        case .nowhere:
            end(call, CallError.unknownTarget)
        }
    }

    private func send(_ call: OutstandingCall, to node: NodeID) {
        guard let token = call.token else { return notSent(call) }
        let left = max(0, (call.deadline - .now()).nanoseconds / 1_000_000)
        let head = ClusterFrame.CallHead(
            reference: .init(loop: executor.index, token: token.rawValue), address: call.address,
            timeout: UInt32(clamping: left), method: call.method, since: call.since)
        call.sentTo = node
        switch system.dispatch(.call(head), to: node, over: .control, capacity: 256, call.encodeArguments) {
        case .sent: break
        case .unlinked, .full: notSent(call)
        // Waiting makes it no smaller.
        case .tooLarge: end(call, CallError.malformed(.limitExceeded("arguments")))
        // What an older node would answer.
        case .tooNew: end(call, CallError.unknownTarget)
        }
    }

    /// The call could not leave. Another node may become the owner, or the link come up; but an actor whose key names its node is
    /// gone with it.
    private func notSent(_ call: OutstandingCall) {
        call.sentTo = nil
        if call.isRepeatable || routing.isPlacedBySlot(call.address.kind) {
            stall(call)
        } else {
            end(call, CallError.unreachable)
        }
    }

    /// The call may have run, and its answer will not come: it is made again if that does no harm, else it fails.
    private func again(_ call: OutstandingCall, _ error: CallError) {
        guard call.token != nil else { return }
        call.sentTo = nil
        guard call.isRepeatable else { return end(call, error) }
        call.mayHaveRun = true
        call.onRepeat?()
        system.metrics.repetitions.increment()
        stall(call)
    }

    private func startTicking() {
        guard !isTicking else { return }
        isTicking = true
        executor.eventLoop.scheduleTask(in: Self.tick) {
            self.isTicking = false
            for call in self.calls.advance(to: Self.currentTick()) {
                call.token = nil
                self.forgetStalled(call)
                self.system.metrics.timeouts.increment()
                call.fail(CallError.timedOut)
            }
            self.tryStalled()
            if self.calls.count > 0 { self.startTicking() }
        }
    }
}
