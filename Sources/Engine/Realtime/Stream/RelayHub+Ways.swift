import FluxCluster
import FluxCore

extension RelayHub {
    /// How the hub reaches what lies outside its loop.
    package struct Ways {
        /// Runs something once when the hub's loop has ended its turn, before what it posted to others leaves.
        let atEndOfTurn: (_ work: @escaping () -> Void) -> Void
        /// Passes events to another loop's registry.
        let handOver: (_ loop: Int, _ events: [Entry]) -> Void
        /// Tells a loop's subscribers that the stream broke.
        let breakOff: (_ loop: Int, _ key: StreamKey) -> Void
        /// Tells a loop's registry that a new owner goes on.
        let succeed: (_ loop: Int, _ key: StreamKey, _ succession: Relay.Succession) -> Void
        /// Calls back on this loop when another one has written all that it was passed before.
        let whenWritten: (_ loop: Int, _ completion: @escaping @Sendable () -> Void) -> Void
        /// Sends events to another node's relays; false if they could not be sent.
        let send: (_ peer: NodeID, _ events: [Entry]) -> Bool
        /// Asks the owner of a stream, and calls back on this loop: `RelayHub.answered`.
        let register: (_ key: StreamKey, _ relay: Relay) -> Void
        /// Tells the owner's node that a registration is over.
        let unregister: (_ owner: NodeID, _ key: StreamKey, _ registration: UInt64) -> Void
        /// Tells nodes that this one sends them the stream no longer.
        let sendAway: (_ peers: [NodeID], _ key: StreamKey) -> Void
        /// Whether the stream's owner lives on this node.
        let isHome: (_ slot: Slot) -> Bool

        package init(
            atEndOfTurn: @escaping (_ work: @escaping () -> Void) -> Void,
            handOver: @escaping (_ loop: Int, _ events: [Entry]) -> Void,
            breakOff: @escaping (_ loop: Int, _ key: StreamKey) -> Void,
            succeed: @escaping (_ loop: Int, _ key: StreamKey, _ succession: Relay.Succession) -> Void,
            whenWritten: @escaping (_ loop: Int, _ completion: @escaping @Sendable () -> Void) -> Void,
            send: @escaping (_ peer: NodeID, _ events: [Entry]) -> Bool,
            register: @escaping (_ key: StreamKey, _ relay: Relay) -> Void,
            unregister: @escaping (_ owner: NodeID, _ key: StreamKey, _ registration: UInt64) -> Void,
            sendAway: @escaping (_ peers: [NodeID], _ key: StreamKey) -> Void,
            isHome: @escaping (_ slot: Slot) -> Bool
        ) {
            self.atEndOfTurn = atEndOfTurn
            self.handOver = handOver
            self.breakOff = breakOff
            self.succeed = succeed
            self.whenWritten = whenWritten
            self.send = send
            self.register = register
            self.unregister = unregister
            self.sendAway = sendAway
            self.isHome = isHome
        }
    }
}
