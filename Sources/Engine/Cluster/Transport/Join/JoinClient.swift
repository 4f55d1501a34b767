import FluxSecurity
import NIOCore
import NIOPosix

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Why a node could not join.
public enum JoinError: Error, Sendable, CustomStringConvertible {
    /// The cluster refused.
    case refused(JoinRefusal)
    /// No version is spoken by both: what the cluster's node speaks, and what this build does.
    case noCommonVersion(cluster: WireVersionRange, own: WireVersionRange)
    /// What answers at the address is not the cluster that the token is for.
    case notTheCluster
    /// Nothing answers at the address, or the connection broke, with the system's words for it.
    case unreachable(String)
    /// The answer does not fit together.
    case malformedAnswer(String)

    /// What to tell the operator.
    public var description: String {
        switch self {
        case .refused(let refusal): refusal.description
        case .noCommonVersion(let cluster, let own):
            JoinRefusal.noCommonVersion(cluster: cluster, newcomer: own)
        case .notTheCluster: "the node at this address is not of the cluster that the token is for"
        case .unreachable(let why): "the node cannot be reached: \(why)"
        case .malformedAnswer(let what): "the node's answer cannot be used: \(what)"
        }
    }
}

/// What a node has after it joined: checked, and to be stored before anything else is done.
public struct JoinedNode: Sendable {
    /// The cluster's answer.
    public let grant: JoinGrant
    /// The node's certificate and key.
    public let identity: TLSIdentity
    /// The cluster's authority.
    public let authority: CertificateAuthority
}

/// Joins a cluster: shows the token to one of its nodes, and gets a certificate and all that a member has to know.
///
/// The secret is sent only after the node has shown the authority that the token names. Nothing of the cluster changes when
/// this fails, except when the answer was lost: asked again with the same key and name, the cluster gives it again.
public struct JoinClient: Sendable {
    /// The largest answer that is taken, bytes.
    static let answerLimit = 1024 * 1024

    /// What the operator gave.
    public var token: JoinToken
    /// What the node is to be called.
    public var name: String
    /// Where other nodes will reach it.
    public var address: PeerAddress
    /// The node's key (PEM), made once with `CertificateSigningRequest.generate` and kept, so that a repetition is known for one.
    public var privateKeyPEM: [UInt8]
    /// What is spoken; another dialect than this build's own is for tests.
    public var dialect = WireDialect.own
    /// How long to wait for the connection and for the answer, each.
    public var patience = TimeAmount.seconds(15)

    /// A client with the defaults for everything else.
    public init(token: JoinToken, name: String, address: PeerAddress, privateKeyPEM: [UInt8]) {
        self.token = token
        self.name = name
        self.address = address
        self.privateKeyPEM = privateKeyPEM
    }

    /// Asks the node at that address to be let in.
    public func join(at node: PeerAddress, on loop: any EventLoop) async throws(JoinError) -> JoinedNode {
        let request: JoinRequest
        let tls: TLSContext
        do {
            let signingRequest = try CertificateSigningRequest(privateKeyPEM: privateKeyPEM)
            request = JoinRequest(
                versions: dialect.versions, cluster: token.cluster, secret: token.secret, name: name, address: address,
                signingRequest: signingRequest.bytes)
            var configuration = TLSConfiguration(role: .client())
            configuration.minimumVersion = .tls13
            configuration.pinnedAuthority = token.authority.bytes
            tls = try TLSContext(configuration)
        } catch {
            throw .malformedAnswer("\(error)")
        }
        return try check(try await ask(request, at: node, tls, on: loop))
    }

    private func ask(
        _ request: JoinRequest, at node: PeerAddress, _ tls: TLSContext, on loop: any EventLoop
    ) async throws(JoinError) -> JoinGrant {
        let answer = loop.makePromise(of: JoinGrant.self)
        ClientBootstrap(group: loop)
            .connectTimeout(patience)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(
                        try tls.makeHandler(), JoinClientHandler(request, answer, self.dialect, patience: self.patience)
                    )
                }
            }
            .connect(host: node.host, port: Int(node.port))
            .cascadeFailure(to: answer)
        do {
            return try await answer.futureResult.get()
        } catch JoinRefusal.version(let range) {
            throw .noCommonVersion(cluster: range, own: dialect.versions)
        } catch let refusal as JoinRefusal {
            throw .refused(refusal)
        } catch let error as JoinError {
            throw error
        } catch TLSError.peerRefused {
            throw .notTheCluster
        } catch let error as NIOConnectionError {
            throw .unreachable(error.words)
        } catch {
            throw .unreachable("\(error)")
        }
    }

    /// What was granted must be what was asked for, by the authority that the token names.
    private func check(_ grant: JoinGrant) throws(JoinError) -> JoinedNode {
        let identity = TLSIdentity(certificateChainPEM: grant.certificateChainPEM, privateKeyPEM: privateKeyPEM)
        do {
            let authority = try CertificateAuthority(
                identity: TLSIdentity(
                    certificateChainPEM: grant.authorityCertificatePEM, privateKeyPEM: grant.authorityKeyPEM))
            guard authority.fingerprint == token.authority.bytes else { throw JoinError.notTheCluster }
            // Making credentials of it proves that key and certificate belong together.
            _ = try ClusterCredentials(authorityPEM: grant.authorityCertificatePEM, identity: identity)
            guard try identity.nodeCertificate() == NodeCertificate(cluster: token.cluster, node: grant.node.rawValue)
            else {
                throw JoinError.malformedAnswer("the certificate is for another node")
            }
            return JoinedNode(grant: grant, identity: identity, authority: authority)
        } catch let error as JoinError {
            throw error
        } catch {
            throw .malformedAnswer("\(error)")
        }
    }
}

/// Sends the request when the connection is secured, and takes one answer.
private final class JoinClientHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let request: JoinRequest
    private let answer: EventLoopPromise<JoinGrant>
    private let dialect: WireDialect
    private let patience: TimeAmount
    private var decoder = RawFrameDecoder(limit: JoinClient.answerLimit)
    private var deadlineTask: Scheduled<Void>?
    private var isAnswered = false

    init(
        _ request: JoinRequest, _ answer: EventLoopPromise<JoinGrant>, _ dialect: WireDialect, patience: TimeAmount
    ) {
        self.dialect = dialect
        self.request = request
        self.answer = answer
        self.patience = patience
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event is TLSHandshake else { return context.fireUserInboundEventTriggered(event) }
        var buffer = context.channel.allocator.buffer(capacity: 1024)
        buffer.writeBytes(ConnectionMode.join.preamble)
        RawFrame(kind: JoinRequest.frameKind, body: request.encoded(dialect: dialect)).encode(into: &buffer)
        context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
        deadlineTask = context.eventLoop.assumeIsolated().scheduleTask(in: patience) {
            self.finish(.failure(JoinError.unreachable("no answer came")), context)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isAnswered else { return }
        decoder.append(unwrapInboundIn(data))
        do {
            guard let raw = try decoder.next() else { return }
            finish(.success(try Self.grant(raw)), context)
        } catch {
            finish(.failure(error), context)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        finish(.failure(JoinError.unreachable("the connection ended without an answer")), context)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        finish(.failure(error), context)
    }

    private static func grant(_ raw: RawFrame) throws -> JoinGrant {
        switch raw.kind {
        case JoinGrant.frameKind: return try JoinGrant(decoding: raw.body)
        case JoinRefusal.frameKind: throw try JoinRefusal(decoding: raw.body)
        case 4: throw JoinError.malformedAnswer("\(try LinkRefusal(decoding: raw.body))")
        default: throw JoinError.malformedAnswer("a frame of kind \(raw.kind)")
        }
    }

    private func finish(_ result: Result<JoinGrant, any Error>, _ context: ChannelHandlerContext) {
        deadlineTask?.cancel()
        guard !isAnswered else { return }
        isAnswered = true
        answer.completeWith(result)
        context.close(promise: nil)
    }
}

extension NIOConnectionError {
    /// The failure of its first address, in the system's words.
    fileprivate var words: String {
        switch connectionErrors.first?.error {
        case let error as IOError: String(cString: strerror(error.errnoCode))
        case let error as ChannelError: "\(error)"
        case let error?: "\(error)"
        case nil: "nobody knows the host \(host)"
        }
    }
}
