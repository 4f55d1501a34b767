import NIOConcurrencyHelpers

/// The certificates and rules that new connections start with; replaceable while the node runs.
///
/// ``replace(with:)`` and ``reload()`` concern handlers made afterwards. Connections that stand keep what they began with,
/// and a new configuration that cannot be used leaves the old one in force.
public final class TLSContext: Sendable {
    private struct State: Sendable {
        var configuration: TLSConfiguration
        var handle: TLSContextHandle
    }

    private let state: NIOLockedValueBox<State>

    /// Reads the configuration's identity anew, for ``reload()``.
    private let readIdentity: (@Sendable () throws(TLSError) -> TLSIdentity)?

    /// A context of a whole configuration.
    public init(_ configuration: TLSConfiguration) throws(TLSError) {
        self.readIdentity = nil
        self.state = NIOLockedValueBox(
            State(configuration: configuration, handle: try TLSContextHandle(configuration)))
    }

    /// A server's context with the identity of two PEM files, which ``reload()`` reads again.
    ///
    /// `adjust` may change the other settings before the context is made.
    public init(
        certificateFile: String, privateKeyFile: String, adjust: (inout TLSConfiguration) -> Void = { _ in }
    ) throws(TLSError) {
        let readIdentity: @Sendable () throws(TLSError) -> TLSIdentity = { () throws(TLSError) in
            try TLSIdentity(certificateFile: certificateFile, privateKeyFile: privateKeyFile)
        }
        var configuration = TLSConfiguration(role: .server(), identity: try readIdentity())
        adjust(&configuration)
        self.readIdentity = readIdentity
        self.state = NIOLockedValueBox(
            State(configuration: configuration, handle: try TLSContextHandle(configuration)))
    }

    /// Puts another configuration in force for new connections.
    public func replace(with configuration: TLSConfiguration) throws(TLSError) {
        let handle = try TLSContextHandle(configuration)
        state.withLockedValue { $0 = State(configuration: configuration, handle: handle) }
    }

    /// Reads the certificate and key files again and puts them in force for new connections. Does nothing for a context
    /// that was not made of files. Blocks on the files.
    public func reload() throws(TLSError) {
        guard let readIdentity else { return }
        var configuration = state.withLockedValue(\.configuration)
        configuration.identity = try readIdentity()
        try replace(with: configuration)
    }

    /// A handler for one new connection.
    ///
    /// - Parameter serverName: for a client, the host name or address that the server's certificate must carry; nil checks
    ///   the chain alone. Ignored by a server.
    public func makeHandler(serverName: String? = nil) throws(TLSError) -> TLSHandler {
        let (configuration, handle) = state.withLockedValue { ($0.configuration, $0.handle) }
        let connection = try TLSConnection(context: handle, role: configuration.role, serverName: serverName)
        return TLSHandler(connection: connection, configuration: configuration)
    }
}
