import FluxRealtime

/// Something that is to happen in the world, above what `ClusterWorld` does by itself.
enum ChatEvent {
    /// Whatever becomes of the nodes.
    case work(() -> Void)
    /// On a node's process: later if it is paused, never if it has ended.
    case onNode(ChatNode, () -> Void)
    /// What another node has sent reaches a process.
    case arrival(ChatNode, (ChatNode) -> Void)
    /// What its node says reaches a client, over one of its connections.
    case told(ChatClient, connection: Int, (ChatClient) -> Void)
    /// An event of a session reaches a client. It is most of what happens, so it is no closure.
    case event(ChatClient, connection: Int, StreamEvent, sequence: UInt64)

    consuming func happen() {
        switch consume self {
        case .work(let work): work()
        case .onNode(let node, let work): node.perform(work)
        case .arrival(let node, let work): node.perform(work)
        case .told(let client, let connection, let body): if client.isOn(connection) { body(client) }
        case .event(let client, let connection, let event, let sequence):
            if client.isOn(connection) { client.received(event, sequence: sequence) }
        }
    }
}
