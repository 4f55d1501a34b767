import FluxCore

/// A connection whose client wants its session back.
struct ArrivingClient {
    /// The last dispatch that the client has.
    let sequence: UInt64
    let identity: GatewayIdentity
    let transport: any SessionTransport
    let completion: LoopSessions.Completion

    /// The client is told that its session cannot be had. - Parameter resumable: whether it may try again.
    func refuse(resumable: Bool) { completion(.failure(.invalidSession(resumable: resumable))) }
}
