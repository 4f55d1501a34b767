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
        startTicking()
        route(call)
    }

    /// Ends a call, if it still waits, with what `end` tells its caller.
    func settle(_ call: OutstandingCall, _ end: (OutstandingCall) -> Void) {
        executor.eventLoop.assertInEventLoop()
        guard let token = call.token, calls.remove(token) != nil else { return }
        call.token = nil
        end(call)
    }

    /// Ends a call, if it still waits, with an error. An actor that says it is not the owner any more may have begun the
    /// work: the call goes on to the new owner only if running it twice does no harm.
    func failed(_ call: OutstandingCall, _ error: any Error) {
        if call.isRepeatable, case CallError.notOwner(let node, let epoch) = error {
            redirected(call, node: node, epoch: epoch)
        } else {
            settle(call) { $0.fail(error) }
        }
    }

    /// The call did not run because its slot is not where it was sent: once more, to where it is.
    func redirected(_ call: OutstandingCall, node: NodeID?, epoch: Epoch) {
        guard call.token != nil else { return }
        system.metrics.redirections.increment()
        if let node {
            system.learn(call.address.slot, node: node, epoch: epoch)
        }
        retry(call)
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
        for call in calls.elements where call.sentTo == node {
            lost(call)
        }
    }

    private func route(_ call: OutstandingCall) {
        call.attempts += 1
        switch routing.destination(of: call.address) {
        case .here:
            call.sentTo = nil
            let loop = system.loop(of: call.address)
            if !system.mesh.offer(to: loop.executor.index, { loop.deliver(call) }) {
                system.metrics.refusals.increment()
                settle(call) { $0.fail(CallError.overloaded) }
            }
        case .node(let node):
            send(call, to: node)
        case .unowned:
            retry(call)
        case .nowhere:
            settle(call) { $0.fail(CallError.unknownTarget) }
        }
    }

    private func send(_ call: OutstandingCall, to node: NodeID) {
        guard let token = call.token else { return lost(call) }
        let left = max(0, (call.deadline - .now()).nanoseconds / 1_000_000)
        let head = ClusterFrame.CallHead(
            reference: .init(loop: executor.index, token: token.rawValue), address: call.address,
            timeout: UInt32(clamping: left), method: call.method, since: call.since)
        call.sentTo = node
        switch system.dispatch(.call(head), to: node, over: .control, capacity: 256, call.encodeArguments) {
        case .sent: break
        case .unlinked: lost(call)
        // What an older node would answer.
        case .tooNew: settle(call) { $0.fail(CallError.unknownTarget) }
        }
    }

    private func lost(_ call: OutstandingCall) {
        call.sentTo = nil
        if call.isRepeatable {
            system.metrics.repetitions.increment()
            retry(call)
        } else {
            settle(call) { $0.fail(CallError.unreachable) }
        }
    }

    /// Routes the call again: at once the first time, then less and less often, until its deadline.
    private func retry(_ call: OutstandingCall) {
        call.sentTo = nil
        let exponent = min(call.attempts - 1, 5)
        guard exponent > 0 else { return post { $0.routeAgain(call) } }
        executor.eventLoop.scheduleTask(in: .milliseconds(10 << Int64(exponent))) { self.routeAgain(call) }
    }

    private func routeAgain(_ call: OutstandingCall) {
        guard call.token != nil, call.sentTo == nil else { return }
        route(call)
    }

    private func startTicking() {
        guard !isTicking else { return }
        isTicking = true
        executor.eventLoop.scheduleTask(in: Self.tick) {
            self.isTicking = false
            for call in self.calls.advance(to: Self.currentTick()) {
                call.token = nil
                self.system.metrics.timeouts.increment()
                call.fail(CallError.timedOut)
            }
            if self.calls.count > 0 { self.startTicking() }
        }
    }
}
