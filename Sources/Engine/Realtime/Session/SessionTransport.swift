import FluxCore

/// The connection below a session. The gateway implements it; sessions call it.
///
/// Every call happens on the event loop of the connection, which is also the session's loop.
public protocol SessionTransport: AnyObject {
    /// Puts one dispatch into the connection's buffer: `{"op":0,"s":sequence,"t":event.kind,"d":event.body}`.
    /// What gathers in one turn of the loop leaves with one system call at its end. Runs once per subscriber and event:
    /// it must not allocate, hop or wait. A connection over its byte bound closes itself resumably.
    func deliver(_ event: StreamEvent, sequence: UInt64)

    /// Puts a MESSAGE_SEND_ACK (op 101) into the connection's buffer.
    /// - Parameter body: the JSON of its `d`.
    func acknowledge(_ body: [UInt8])

    /// Tells the client to reconnect and resume (op 7), and closes the connection a second later.
    func reconnect()

    /// Closes the connection with `code`. The session has let go of the connection before and hears nothing more of it.
    func close(_ code: GatewayCloseCode)
}
