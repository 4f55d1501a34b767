import FluxCluster

/// Something of each node, found by the node's number without hashing and changed in place.
struct NodeMap<Value> {
    fileprivate var values: [Value?] = []

    /// The nodes of which there is something, in growing order.
    var ids: [NodeID] {
        values.indices.compactMap { values[$0] == nil ? nil : NodeID(rawValue: UInt16($0)) }
    }

    /// What there is, in the order of the nodes.
    var all: [Value] { values.compactMap(\.self) }

    subscript(node: NodeID) -> Value? {
        _read {
            let index = Int(node.rawValue)
            if index < values.count { yield values[index] } else { yield nil }
        }
        @inline(__always) _modify {
            let index = Int(node.rawValue)
            if values.count <= index { grow(beyond: index) }
            yield &values[index]
        }
    }

    private mutating func grow(beyond index: Int) {
        while values.count <= index { values.append(nil) }
    }
}

extension NodeMap: Sendable where Value: Sendable {}

extension ClusterWorld.Node {
    @inline(__always)
    fileprivate mutating func change<Result>(_ body: (inout ClusterWorld.Node) -> Result) -> Result { body(&self) }

    @inline(__always)
    fileprivate mutating func tellKeeper(_ body: (inout SlotKeeper) -> [SlotKeeper.Action]) -> [SlotKeeper.Action] {
        guard let told = keeper?.change(body) else { return [] }
        keeperDue = told.due
        return told.actions
    }
}

extension SlotKeeper {
    @inline(__always)
    fileprivate mutating func change(_ body: (inout SlotKeeper) -> [Action]) -> (actions: [Action], due: Duration) {
        (body(&self), nextWakeUp)
    }
}

extension NodeMap<ClusterWorld.Node> {
    /// Changes a node where it is: assigning through the subscript moves the whole of it out and in again.
    @inline(__always) @discardableResult
    mutating func change<Result>(_ node: NodeID, _ body: (inout ClusterWorld.Node) -> Result) -> Result? {
        let index = Int(node.rawValue)
        return index < values.count ? values[index]?.change(body) : nil
    }

    /// Tells the node's keeper something; what it wants done.
    @inline(__always)
    mutating func tellKeeper(
        of node: NodeID, _ body: (inout SlotKeeper) -> [SlotKeeper.Action]
    ) -> [SlotKeeper.Action] {
        let index = Int(node.rawValue)
        return index < values.count ? values[index]?.tellKeeper(body) ?? [] : []
    }

    /// Whether the node's process runs; and is this one, where one is named.
    func isRunning(_ node: NodeID, _ process: Int? = nil) -> Bool {
        let index = Int(node.rawValue)
        guard index < values.count, let isRunning = values[index]?.isRunning, isRunning else { return false }
        return process == nil || values[index]?.process == process
    }

    func isPaused(_ node: NodeID) -> Bool {
        let index = Int(node.rawValue)
        return index < values.count && values[index]?.isPaused == true
    }

    // Parts of a node, read where they are: the subscript copies the whole of it.

    /// Which process of the world the node's latest is.
    func process(of node: NodeID) -> Int? {
        let index = Int(node.rawValue)
        return index < values.count ? values[index]?.process : nil
    }

    func identity(of node: NodeID) -> NodeIdentity? {
        let index = Int(node.rawValue)
        return index < values.count ? values[index]?.machine.identity : nil
    }

    /// When its membership has to be woken, and for when that is planned.
    func wakeUp(of node: NodeID) -> (due: Duration?, planned: Duration?) {
        let index = Int(node.rawValue)
        guard index < values.count else { return (nil, nil) }
        return (values[index]?.machine.nextWakeUp, values[index]?.wakeUpAt)
    }

    /// When its keeper has to be woken, and for when that is planned.
    func keeperWakeUp(of node: NodeID) -> (due: Duration?, planned: Duration?) {
        let index = Int(node.rawValue)
        guard index < values.count else { return (nil, nil) }
        return (values[index]?.keeperDue, values[index]?.keeperWakeUpAt)
    }

    func isReady(_ node: NodeID) -> Bool {
        let index = Int(node.rawValue)
        return index < values.count && values[index]?.keeper?.isReady == true
    }
}
