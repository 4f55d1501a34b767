import FluxSecurity

/// The life of one connection's handshake, without I/O.
///
/// The dialler says hello, the acceptor welcomes it or refuses, and when both connections of a link are welcome the dialler
/// says on each that it is ready. Nothing else may come before: each frame out of turn is refused. Who the peer says to be is
/// held against its certificate before anything is decided.
struct LinkHandshake {
    /// What this end knows and insists on.
    struct Expectation {
        /// Who we are.
        var identity: NodeIdentity
        /// The versions that we speak.
        var versions: WireVersionRange
        /// Our cluster.
        var cluster: ClusterID
        /// The features that we have.
        var features = LinkFeatures.own
    }

    /// What a connection's security says of the peer.
    enum PeerProof: Equatable {
        /// Nothing is known: both ends are on this machine and the configuration allows it.
        case plaintext
        /// A certificate of our authority: its fingerprint, whether a member has it, and the node that it names.
        case certificate(CertificateFingerprint, isMember: Bool, names: NodeCertificate?)
        /// The peer showed none.
        case missing
    }

    /// Which end of the connection this is.
    enum Role: Equatable {
        /// Dials a node, for one lane, and for the bulk lane of a link that is there.
        case dialler(target: NodeID, lane: TransportLane, link: UInt64?)
        /// Accepts whatever comes.
        case acceptor
    }

    /// What to do after an event.
    enum Action: Equatable {
        case none
        /// Send this.
        case send(LinkFrame)
        /// The acceptor's side is complete: ask whether the link may be. Answer with `decided`.
        case decide(LinkHello, WireVersion)
        /// The dialler is welcome. Frames of the peer may come from now on; ours after `start`.
        case welcomed(LinkWelcome)
        /// The dialler is ready: frames may flow.
        case established
        /// Not part of the handshake: a frame of an established connection.
        case deliver(LinkFrame)
        /// Send the reason and close.
        case refuse(LinkRefusal)
        /// The peer refused and closes.
        case refused(LinkRefusal)
    }

    private enum State {
        case starting
        case awaitingHello
        case awaitingWelcome
        /// The acceptor waits for the decision.
        case deciding(WireVersion, window: UInt64)
        /// The dialler has its welcome and waits for the other connection.
        case welcome
        /// The acceptor waits for the dialler to be ready.
        case awaitingReady
        case established
        case over
    }

    private let role: Role
    private let expectation: Expectation
    /// How many bytes we take before we give credit; the acceptor knows when it knows the lane.
    var ownWindow: UInt64
    private let proof: PeerProof
    private var state = State.starting
    /// Who the peer is; set when it has said so and proved it.
    private(set) var peer: NodeIdentity?
    /// Of a peer that proved who it is, and was refused because no version is spoken by both: who, and what it speaks.
    private(set) var refusedVersions: (of: NodeID, range: WireVersionRange)?
    /// How many bytes the peer takes before it gives credit.
    private(set) var peerWindow: UInt64 = 0
    /// The features that both ends have; known when the peer is.
    private(set) var features: LinkFeatures = []

    /// A handshake that has not begun.
    init(role: Role, expectation: Expectation, window: UInt64, proof: PeerProof) {
        self.role = role
        self.expectation = expectation
        self.proof = proof
        ownWindow = window
    }

    /// Whether frames of the cluster may be sent.
    var isEstablished: Bool {
        if case .established = state { true } else { false }
    }

    /// Whether the handshake has ended, well or not, or only waits for the other connection of the link.
    var isOver: Bool {
        switch state {
        case .established, .over: true
        default: false
        }
    }

    /// The connection is there.
    mutating func begin() -> Action {
        guard case .starting = state else { return .none }
        guard case .dialler(let target, let lane, let link) = role else {
            state = .awaitingHello
            return .none
        }
        if let refusal = refusal(of: target) { return end(refusal) }
        state = .awaitingWelcome
        return .send(
            .hello(
                LinkHello(
                    versions: expectation.versions, cluster: expectation.cluster, identity: expectation.identity,
                    target: target, lane: lane, link: link, window: ownWindow, features: expectation.features)))
    }

    /// The peer sent a frame.
    mutating func received(_ frame: LinkFrame) -> Action {
        if case .refusal(let refusal) = frame {
            if case .over = state { return .none }
            state = .over
            return .refused(refusal)
        }
        switch (state, frame) {
        case (.over, _): return .none
        case (.established, .hello), (.established, .welcome), (.established, .ready):
            return end(.malformed("handshake in an established connection"))
        case (.established, _): return .deliver(frame)
        case (.awaitingHello, .hello(let hello)): return greeted(hello)
        case (.awaitingWelcome, .welcome(let welcome)): return accepted(welcome)
        case (.awaitingReady, .ready):
            state = .established
            return .established
        // The acceptor sends as soon as the dialler was ready on either connection, which may be before it is on this one.
        case (.welcome, .data), (.welcome, .credit), (.welcome, .ping), (.welcome, .pong): return .deliver(frame)
        default: return end(.malformed("frame out of turn"))
        }
    }

    /// The acceptor may welcome the dialler to this link.
    mutating func decided(link: UInt64) -> Action {
        guard case .deciding(let version, let window) = state else { return .none }
        state = .awaitingReady
        peerWindow = window
        return .send(
            .welcome(
                LinkWelcome(
                    version: version, identity: expectation.identity, link: link, window: ownWindow,
                    features: features)))
    }

    /// Both connections of the dialler are welcome.
    mutating func start() -> Action {
        guard case .welcome = state else { return .none }
        state = .established
        return .send(.ready)
    }

    /// The connection is over, for a reason of our own; what comes is ignored.
    mutating func end() {
        state = .over
    }

    private mutating func greeted(_ hello: LinkHello) -> Action {
        guard let version = expectation.versions.agreed(with: hello.versions) else {
            if refusal(of: hello.identity.id) == nil { refusedVersions = (hello.identity.id, hello.versions) }
            return end(.version(expectation.versions))
        }
        guard hello.cluster == expectation.cluster else { return end(.wrongCluster) }
        guard hello.target == expectation.identity.id else { return end(.wrongNode) }
        guard hello.identity.id != expectation.identity.id else { return end(.wrongNode) }
        guard hello.lane == .control || hello.link != nil else { return end(.noSuchLink) }
        if let refusal = refusal(of: hello.identity.id) { return end(refusal) }
        peer = hello.identity
        features = expectation.features.intersection(hello.features)
        state = .deciding(version, window: hello.window)
        return .decide(hello, version)
    }

    private mutating func accepted(_ welcome: LinkWelcome) -> Action {
        guard case .dialler(let target, _, _) = role else { return end(.malformed("frame out of turn")) }
        guard welcome.identity.id == target else { return end(.wrongNode) }
        guard expectation.versions.contains(welcome.version) else { return end(.version(expectation.versions)) }
        peer = welcome.identity
        peerWindow = welcome.window
        // A peer that names more than was offered gets no more for it.
        features = expectation.features.intersection(welcome.features)
        state = .welcome
        return .welcomed(welcome)
    }

    /// What stands against the peer being that node.
    private func refusal(of node: NodeID) -> LinkRefusal? {
        switch proof {
        case .plaintext: nil
        case .missing: .certificateMissing
        case .certificate(_, false, _): .certificateRefused
        case .certificate(_, true, let names):
            names == NodeCertificate(cluster: expectation.cluster, node: node.rawValue) ? nil : .certificateMismatch
        }
    }

    private mutating func end(_ refusal: LinkRefusal) -> Action {
        state = .over
        return .refuse(refusal)
    }
}
