import FluxCore

extension ClusterActorSystem {
    /// Takes a frame that the transport received; from any thread, in the order of arrival per node. A frame that cannot be
    /// read has no effect and is reported to the caller, which closes the link.
    @discardableResult
    public func receive(_ frame: [UInt8], from node: NodeID) -> Result<Void, WireError> {
        do throws(WireError) {
            let (frame, body) = try ClusterFrame.decode(frame)
            switch frame {
            case .call(let head):
                let call = IncomingCall(head, arguments: body, from: node)
                let loop = loop(of: head.address)
                if !mesh.offer(to: loop.executor.index, { loop.deliver(call) }) {
                    call.refuse(CallError.overloaded, in: loop)
                }
            case .reply(let head):
                guard head.reference.loop < loops.count else { throw .malformed("no such loop") }
                loops[head.reference.loop].post { $0.receive(head, body: body, from: node) }
            case .event(let head):
                guard let handler = events.withLockedValue({ $0[head.number] }) else { break }
                var body = body
                handler(node, &body)
            }
            return .success(())
        } catch {
            return .failure(error)
        }
    }

    /// The link to a node broke. Calls that wait for it fail with `CallError.unreachable`, or are made again if that does
    /// no harm.
    public func linkLost(to node: NodeID) {
        for loop in loops {
            loop.post { $0.linkLost(to: node) }
        }
    }
}

extension ClusterActorSystem {
    /// Where a call goes, as this node knows.
    enum Route {
        case here(ActorLoop)
        case node(NodeID)
        case unowned
        case nowhere
    }

    func route(of address: ActorAddress) -> Route {
        switch routing.withLockedValue({ $0.destination(of: address) }) {
        case .here: .here(loop(of: address))
        case .node(let node): .node(node)
        case .unowned: .unowned
        case .nowhere: .nowhere
        }
    }

    func isPlacedBySlot(_ kind: ActorKind) -> Bool {
        routing.withLockedValue { $0.nodePlacements[kind] == nil }
    }
}
