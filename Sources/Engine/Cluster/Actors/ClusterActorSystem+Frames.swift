import FluxCore

extension ClusterActorSystem {
    /// Takes a frame that the transport received; from any thread, in the order of arrival per node. A frame that cannot be
    /// read has no effect; the transport closes the link that it came from.
    public func receive(_ bytes: [UInt8], from node: NodeID) throws(WireError) {
        let (frame, body) = try ClusterFrame.decode(bytes, speaking: transport.dialect.versions)
        try mesh.carrying(bytes.count) { () throws(WireError) in try take(frame, body, from: node) }
    }

    private func take(_ frame: ClusterFrame, _ body: WireReader, from node: NodeID) throws(WireError) {
        switch frame {
        case .call(let head):
            let call = IncomingCall(head, arguments: body, from: node)
            let loop = loop(of: head.address)
            if !mesh.offer(to: loop.executor.index, { loop.deliver(call) }) {
                metrics.refusals.increment()
                call.refuse(CallError.overloaded, in: loop)
            }
        case .reply(let head):
            guard head.reference.loop < loops.count else { throw .malformed("no such loop") }
            loops[head.reference.loop].post { $0.receive(head, body: body, from: node) }
        case .event(let head):
            guard let handler = events.withLockedValue({ $0[head.event.number] }) else { return }
            var body = body
            handler(node, &body)
        }
    }

    /// There is a link to a node: calls that wait for one leave.
    public func linkMade(to node: NodeID) {
        for loop in loops {
            loop.post { $0.linkMade(to: node) }
        }
    }

    /// The link to a node broke. Calls under way over it fail with `CallError.unreachable`, or are made again if that does
    /// no harm, as soon as there is somebody to make them to.
    public func linkLost(to node: NodeID) {
        for loop in loops {
            loop.post { $0.linkLost(to: node) }
        }
        tellLinkObservers(node)
    }
}
