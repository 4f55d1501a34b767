import FluxCore
import FluxStore

@testable import FluxRealtime

/// Some people, each with a state of their own, and what waits on its way between them. Plans are applied at once, as if
/// every commit succeeded.
struct PeerWorld {
    static let ada = UserID(1)
    static let bob = UserID(2)
    static let robot = UserID(9)

    /// What somebody's sessions were shown of a relationship.
    struct Shown: Equatable, CustomStringConvertible {
        var kind: EventKind
        var type: Int
        var notifies: Bool
        var description: String { "\(kind) \(type)\(notifies ? "!" : "")" }

        static func added(_ type: Int, notifies: Bool = false) -> Shown {
            Shown(kind: .relationshipAdd, type: type, notifies: notifies)
        }
        static func removed(_ type: Int) -> Shown { Shown(kind: .relationshipRemove, type: type, notifies: false) }
    }

    private(set) var people: [UserID: UserState] = [:]
    private(set) var shown: [UserID: [Shown]] = [:]
    private(set) var outcomes: [UserID: UserOutcome] = [:]
    /// Entries that nobody has taken.
    var waiting: [OutboxEntry] = []
    var now = Timestamp(milliseconds: 1_780_000_000_000)
    var closed: Set<UserID> = []
    let users: [UserID: User]
    private var minted: UInt64 = 1 << 40
    /// How far the clocks of the two people's nodes are apart, in ids.
    var skew: [UserID: UInt64] = [:]

    init() {
        users = [
            Self.ada: User(id: Self.ada, username: "ada"), Self.bob: User(id: Self.bob, username: "bob"),
            Self.robot: User(id: Self.robot, username: "robot", isBot: true),
        ]
        for (id, user) in users { people[id] = UserState(LoadedUser(user: user)) }
    }

    func kind(_ own: UserID, _ peer: UserID) -> Relationship.Kind? {
        people[own]?.relationshipKind(with: peer)
    }

    /// A command of somebody; what it tells others waits.
    @discardableResult
    mutating func perform(
        _ operation: UserOperation, by userID: UserID, _ body: JSON = .null,
        _ prepare: (inout UserPlanning) -> Void = { _ in }
    ) throws(APIError) -> UserPlan {
        var planning = planning(of: userID)
        prepare(&planning)
        let command = UserCommand(caller: Caller(userID: userID, isBot: false), operation: operation, body: body)
        guard let plan = try people[userID]?.plan(command, planning) else { throw .unknownUser }
        apply(plan, to: userID)
        return plan
    }

    /// One entry reaches whom it is for; `twice` leaves a copy on its way.
    mutating func deliver(at index: Int, twice: Bool = false) throws(APIError) {
        let entry = twice ? waiting[index] : waiting.remove(at: index)
        let target = UserID(entry.targetKey.rawValue)
        guard let plan = try people[target]?.plan(entry, planning(of: target)) else { return }
        apply(plan, to: target)
    }

    mutating func deliverAll() throws(APIError) {
        while !waiting.isEmpty { try deliver(at: 0) }
    }

    /// What somebody was shown since this was asked last.
    mutating func takeShown(_ userID: UserID) -> [Shown] { shown.removeValue(forKey: userID) ?? [] }

    private func planning(of userID: UserID) -> UserPlanning {
        let next = minted + (skew[userID] ?? 0)
        var planning = UserPlanning(now: now, users: users) { () throws(APIError) in Snowflake(next) }
        planning.closedUsers = closed
        return planning
    }

    private mutating func apply(_ plan: UserPlan, to userID: UserID) {
        minted += 1
        now = now.adding(seconds: 1)
        guard var state = people[userID] else { return }
        let outcome = state.apply(plan.changes)
        people[userID] = state
        outcomes[userID] = outcome
        waiting += plan.notices
        for event in outcome.events {
            guard let body = try? JSON.parse(event.body), let type = body["type"]?.intValue else { continue }
            shown[userID, default: []].append(
                Shown(kind: event.kind, type: type, notifies: body["should_notify"]?.boolValue ?? false))
        }
    }
}

extension UserState {
    func relationshipKind(with peerID: UserID) -> Relationship.Kind? { relationships[peerID]?.kind }
}
