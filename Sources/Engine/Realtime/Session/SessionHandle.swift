import FluxCore

/// What a connection may ask of the session it carries. Every call happens on the connection's event loop.
public protocol SessionHandle: AnyObject {
    /// The `session_id` that READY told the client.
    var identifier: String { get }

    /// A heartbeat came. - Parameter acknowledged: its `d`, the last sequence number that the client has; nil before the first.
    func heartbeat(acknowledged: UInt64?)

    /// Op 3 with its `d`. - Returns: false if `d` is no presence (close 4002).
    func updatePresence(_ body: JSON) -> Bool

    /// Op 4 with its `d`. - Returns: false if `d` is no voice state (close 4002).
    func updateVoiceState(_ body: JSON) -> Bool

    /// Op 8 with its `d`. - Returns: false if `d` is no request for members (close 4002).
    func requestMembers(_ body: JSON) -> Bool

    /// Op 100 with its `d` (protocol 10.2). The answer comes through `SessionTransport.acknowledge`, errors too.
    /// - Returns: false if `d` has no usable channel id or nonce, so that no answer could name it (close 4002).
    func send(_ body: JSON) -> Bool

    /// The connection is gone. After 1000 or 1001 from the client the session ends; else it waits to be resumed.
    /// - Parameter closeCode: what the client's close frame said; nil for a lost link or a close by the server.
    func detach(closeCode: UInt16?)
}

/// What the gateway asks of the engine's sessions.
public protocol SessionService: AnyObject, Sendable {
    /// Begins a session for a connection of the loop that this is called on. READY and what follows come through
    /// `transport`; `completion` is called on the same loop, before READY is delivered.
    ///
    /// Refusals: `.authenticationFailed` (the user is gone), `.invalidShard`, `.unknownError` (try again later).
    func identify(
        _ request: IdentifyRequest, as identity: GatewayIdentity, over transport: any SessionTransport,
        completion: @escaping (Result<any SessionHandle, SessionRefusal>) -> Void)

    /// Takes up a session again. On success every event after `sequence` is delivered in order, then RESUMED.
    /// Refusal `.invalidSession` means op 9 with `d: false`.
    func resume(
        _ identifier: String, after sequence: UInt64, as identity: GatewayIdentity,
        over transport: any SessionTransport,
        completion: @escaping (Result<any SessionHandle, SessionRefusal>) -> Void)
}

/// Why a session could not be begun or resumed.
public enum SessionRefusal: Error, Sendable, Equatable {
    /// Op 9 with `d: resumable`; the connection stays open for another IDENTIFY.
    case invalidSession(resumable: Bool)
    /// The connection is closed with this code.
    case close(GatewayCloseCode)
}
