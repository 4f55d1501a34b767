import Collections
import FluxCluster
import FluxCore

/// What a user's sessions say of them, and what others see of it together (protocol 7.9, 9.3). A value without I/O.
///
/// The most present session counts: online before idle before dnd before invisible; a status that the user chose for all
/// sessions wins. A session that has waited too long for its client counts no more until the client is back.
struct PresenceBoard {
    static let maximumActivities = 8

    private struct Entry {
        var presence: SessionPresence
        var isAbsent = false
        /// Where it lives, once it has left the node that its id names.
        var home: SessionHome?
    }

    private var sessions: OrderedDictionary<SessionKey, Entry> = [:]
    /// The status that the user chose for all sessions; nil where each speaks for itself.
    var chosenStatus: PresenceStatus?
    /// The custom status that the user chose for all sessions.
    var customStatus: Activity?

    var sessionCount: Int { sessions.count }

    /// What each session says, in the order in which they began.
    var list: [(session: SessionKey, presence: SessionPresence)] {
        sessions.map { ($0.key, $0.value.presence) }
    }

    /// All that is known of the sessions, for the user's next owner.
    var memory: [UserMemory.Session] {
        sessions.map {
            UserMemory.Session(
                session: $0.key, presence: $0.value.presence, isAbsent: $0.value.isAbsent, home: $0.value.home)
        }
    }

    /// Takes over what a former owner knew.
    mutating func recall(_ memory: [UserMemory.Session]) {
        for entry in memory {
            sessions[entry.session] = Entry(presence: entry.presence, isAbsent: entry.isAbsent, home: entry.home)
        }
    }

    mutating func begin(_ session: SessionKey, _ presence: SessionPresence) {
        sessions[session] = Entry(presence: presence)
    }

    /// The node where a session lives; nil if there is no such session.
    func node(of session: SessionKey) -> NodeID? {
        sessions[session].flatMap { $0.home?.node ?? NodeID(rawValue: session.nodeID) }
    }

    /// The nodes where sessions live.
    var nodes: Set<NodeID> { Set(sessions.keys.compactMap(node(of:))) }

    /// The sessions that live on a node.
    func sessions(on node: NodeID) -> [SessionKey] { sessions.keys.filter { self.node(of: $0) == node } }

    /// A session is over.
    mutating func end(_ session: SessionKey) { sessions[session] = nil }

    /// Takes in what became of a session. Of one that is not known only what it shows means anything: it has outlived its user's
    /// owner. News from a node that it has left mean nothing.
    mutating func apply(_ news: SessionNews.News, to session: SessionKey, at home: SessionHome? = nil) {
        if case .presence(let presence) = news, sessions[session] == nil {
            sessions[session] = Entry(presence: presence, home: home)
        }
        guard var entry = sessions[session], home?.moves ?? 0 >= entry.home?.moves ?? 0 else { return }
        entry.home = home ?? entry.home
        switch news {
        case .presence(let presence): entry.presence = presence
        case .absent: entry.isAbsent = true
        case .returned: entry.isAbsent = false
        case .ended:
            sessions[session] = nil
            return
        }
        sessions[session] = entry
    }

    /// What others see.
    func merged(_ userID: UserID) -> Presence {
        let present = sessions.values.filter { !$0.isAbsent }.map(\.presence)
        guard let leading = present.min(by: { Self.rank($0.status) < Self.rank($1.status) }) else {
            return .offline(userID)
        }
        let status = (chosenStatus ?? leading.status).shown
        guard status != .offline else { return .offline(userID) }
        var activities: [Activity] = customStatus.map { [$0] } ?? []
        for activity in present.flatMap(\.activities) where activities.count < Self.maximumActivities {
            if !activities.contains(where: { $0.kind == activity.kind && $0.name == activity.name }) {
                activities.append(activity)
            }
        }
        return Presence(
            userID: userID, status: status, activities: .array(activities.map(\.json)),
            clientStatus: .object(JSONObject([.init(key: "web", value: .string(status.rawValue))])))
    }

    private static func rank(_ status: PresenceStatus) -> Int {
        switch status {
        case .online: 0
        case .idle: 1
        case .dnd: 2
        case .invisible: 3
        case .offline: 4
        }
    }
}
