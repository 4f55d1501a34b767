import FluxCluster
import FluxCore

/// The way of one session from another node to this one, as the node decides it that the client has come to (design 4, 8): a state
/// machine without I/O.
///
/// The session is found, its streams are followed here, and its former holder freezes it when it has seen all that came before that.
/// Each method takes what was heard and returns what is to be done next, nil for nothing. After `install` or `fail` it is over.
package struct SessionArrival {
    /// How often nodes are asked for one session.
    package static let maximumQuestions = 6
    /// How often a session that has got more streams meanwhile is asked for again.
    package static let maximumRounds = 4
    /// How long it may take to find the session, in milliseconds: a client of a node that has just died shall not wait for long.
    package static let searching: UInt64 = 3_000
    /// How long the whole way may take, in milliseconds, before the client is told to try again.
    package static let patience: UInt64 = 10_000
    /// Dispatches and their bytes that a session may bring along.
    package static let maximumDispatches: UInt64 = 65_536
    package static let maximumCost = 64 << 20

    /// What is to be done next.
    package enum Action: Equatable {
        /// This node is asked for the session.
        case ask(NodeID)
        /// The user's actor is asked which node has it.
        case askUser
        /// It has come to this node by another way.
        case takeUpHere
        /// The session's place here is prepared: every later event of these streams has to come to it.
        case follow([StreamKey])
        /// The holder is to freeze the session once it has seen its streams up to these positions.
        case take([StreamHead])
        /// All of it is here.
        case install
        /// It does not come. - Parameter isResumable: whether the client may try again.
        case fail(isResumable: Bool)
    }

    package let key: SessionKey
    /// Names the move.
    package let ticket: UInt64
    /// Whose session it is.
    package let userID: UserID
    /// The last dispatch that its client has.
    package let sequence: UInt64
    /// In milliseconds of the node's clock.
    package let since: UInt64
    /// The node that was asked last.
    package private(set) var holder: NodeID?
    /// From where on each stream comes to this node.
    package private(set) var heads: [StreamKey: StreamPosition] = [:]
    /// The streams whose owners have not answered.
    private var awaited: Set<StreamKey> = []

    private let node: NodeID
    private var questions = 0
    /// Which nodes, this one too, do not have it. It may have come to one of them since: who says so is believed once.
    private var deniedBy: Set<NodeID> = []
    private var hasAskedUser = false
    /// How often the session was described.
    private var rounds = 0
    /// How many dispatches come with it; nil until it is frozen.
    private var expected: UInt64?
    private var received: (count: UInt64, cost: Int) = (0, 0)

    /// - Parameters:
    ///   - node: this node.
    ///   - now: milliseconds of the node's clock.
    package init(
        _ key: SessionKey, of userID: UserID, after sequence: UInt64, to node: NodeID, ticket: UInt64, at now: UInt64
    ) {
        self.key = key
        self.userID = userID
        self.sequence = sequence
        self.node = node
        self.ticket = ticket
        since = now
    }

    // MARK: Finding it

    /// - Parameter holder: the node that is said to have it.
    package mutating func begin(at holder: NodeID?) -> Action {
        guard let holder, holder != node else { return denied(by: node) }
        return ask(holder)
    }

    /// What was to be done cannot be: the node that has the session is not reached.
    /// - Parameter hasDied: whether that node has died. One that has left has handed the session on, and the user will hear to whom.
    package mutating func unreachable(hasDied: Bool) -> Action {
        guard rounds == 0 else { return .fail(isResumable: true) }
        return hasAskedUser ? .fail(isResumable: !hasDied) : askUser()
    }

    private mutating func ask(_ holder: NodeID) -> Action {
        questions += 1
        self.holder = holder
        return .ask(holder)
    }

    private mutating func askUser() -> Action {
        hasAskedUser = true
        return .askUser
    }

    private mutating func denied(by peer: NodeID) -> Action {
        deniedBy.insert(peer).inserted ? askUser() : .fail(isResumable: false)
    }

    /// Somebody has said which node has it. - Parameters:
    ///   - holder: nil if there is no such session.
    ///   - isHere: whether the session is on this node by now.
    package mutating func found(at holder: NodeID?, isHere: Bool) -> Action {
        guard let holder else { return .fail(isResumable: false) }
        // What one remembers of it may be older than this process.
        if holder == node { return isHere ? .takeUpHere : denied(by: node) }
        guard questions < Self.maximumQuestions else { return .fail(isResumable: true) }
        return ask(holder)
    }

    /// A node does not give it. - Parameter isHere: whether the session is on this node by now.
    package mutating func refused(_ refusal: SessionMoveRefusal, by peer: NodeID, isHere: Bool) -> Action? {
        guard holder == peer else { return nil }
        switch refusal {
        case .impossible: return .fail(isResumable: false)
        case .notNow: return .fail(isResumable: true)
        case .movedTo(let holder): return found(at: holder, isHere: isHere)
        case .unknown: return denied(by: peer)
        }
    }

    // MARK: Preparing its place

    /// The holder says what the session is and which streams it listens to.
    package mutating func described(_ streams: [StreamKey], of userID: UserID, by peer: NodeID) -> Action? {
        guard holder == peer, userID == self.userID, awaited.isEmpty else { return nil }
        rounds += 1
        guard rounds <= Self.maximumRounds else { return .fail(isResumable: true) }
        let new = streams.filter { heads[$0] == nil }
        awaited = Set(new)
        return new.isEmpty ? take : .follow(new)
    }

    /// Every event of the stream after this position comes to the session's place here.
    package mutating func follows(_ key: StreamKey, from position: StreamPosition) -> Action? {
        guard awaited.remove(key) != nil else { return nil }
        heads[key] = position
        return awaited.isEmpty ? take : nil
    }

    private var take: Action {
        .take(heads.sorted { $0.key.id < $1.key.id }.map { StreamHead(key: $0.key, position: $0.value) })
    }

    // MARK: Taking it in

    /// The holder has sent the session as of one moment. Its dispatches follow.
    /// - Parameters:
    ///   - dispatches: how many.
    ///   - lastSequence: the number of the last one.
    package mutating func frozen(dispatches: UInt64, lastSequence: UInt64, by peer: NodeID) -> Action? {
        guard holder == peer else { return nil }
        guard dispatches <= min(Self.maximumDispatches, lastSequence) else { return .fail(isResumable: false) }
        expected = dispatches
        received = (0, 0)
        return dispatches == 0 ? .install : nil
    }

    /// Some of its dispatches are here. - Parameter cost: their bytes.
    package mutating func received(dispatches: Int, cost: Int, by peer: NodeID) -> Action? {
        guard holder == peer, let expected else { return nil }
        received = (received.count + UInt64(dispatches), received.cost + cost)
        guard received.count <= expected, received.cost <= Self.maximumCost else { return .fail(isResumable: false) }
        return received.count == expected ? .install : nil
    }

    // MARK: Failing

    /// A link broke, and with it what was under way.
    package func linkLost(to peer: NodeID) -> Action? { holder == peer ? .fail(isResumable: true) : nil }

    /// Once a second, or more often. - Parameter now: milliseconds of the node's clock.
    package func timedOut(at now: UInt64) -> Action? {
        now >= since + (rounds == 0 ? Self.searching : Self.patience) ? .fail(isResumable: true) : nil
    }
}
