import FluxCluster
import FluxCore
import FluxRealtime
import FluxSecurity
import FluxStore

/// What an operator can see and do about the cluster through any of its nodes. Answers are what the admin API sends; every
/// change may be repeated.
struct ClusterAdministration: Sendable {
    /// How long a token may live: a second to 30 days.
    static let tokenLifetimes: ClosedRange<Int> = 1...(30 * 86_400)

    /// The node that is asked.
    let identity: MemberIdentity
    /// Where it is reached by nodes.
    let advertised: PeerAddress
    /// What it speaks with other nodes.
    let versions: WireVersionRange
    /// Whether other nodes can reach the database.
    let sharesDatabase: Bool
    let store: ClusterStore
    let readiness: Readiness
    /// Lets the process leave the cluster and end.
    let stopping: StopRequest
    /// The node's part in the cluster, while it has one.
    var part: ClusterNode?

    // MARK: Tokens

    /// Makes a token: `{token, id, expires_at, address}`.
    func createToken(lifetimeSeconds: Int?) async throws -> JSON {
        let lifetime = lifetimeSeconds ?? Int(JoinToken.defaultLifetimeSeconds)
        guard Self.tokenLifetimes.contains(lifetime) else {
            throw CommandFailure(.usage, "ttl_seconds: expected 1 to \(Self.tokenLifetimes.upperBound)")
        }
        guard sharesDatabase else { throw CommandFailure(.configuration, PostgresJoinStore.privateDatabase) }
        guard let authority = CertificateFingerprint(bytes: try identity.authorityFingerprint()) else {
            throw CommandFailure(.failure, "the authority's certificate has no fingerprint")
        }
        let token = JoinToken.mint(cluster: identity.cluster, authority: authority)
        do throws(StoreError) {
            let row = try await store.addToken(hash: token.secretHash, lifetimeSeconds: Int64(lifetime))
            return [
                "token": .string(token.text), "id": .string(JoinToken.identifier(ofHash: row.hash)),
                "expires_at": .string(row.expiresAt.text), "address": .string(advertised.description),
            ]
        } catch .overloaded {
            throw CommandFailure(
                .failure, "\(ClusterStore.tokenLimit) tokens lie unused; revoke some (`flux node token ls`)")
        } catch {
            throw CommandFailure(error)
        }
    }

    /// `{tokens: [{id, state, created_at, expires_at, used_by}]}`, the newest first.
    func tokens() async throws -> JSON {
        let rows = try await asking { () throws(StoreError) in try await store.tokens() }
        return [
            "tokens": .array(
                rows.map { row in
                    [
                        "id": .string(JoinToken.identifier(ofHash: row.hash)),
                        "state": .string(row.usedBy != nil ? "used" : row.isExpired ? "expired" : "unused"),
                        "created_at": .string(row.createdAt.text), "expires_at": .string(row.expiresAt.text),
                        "used_by": row.usedBy.map { .string($0) } ?? .null,
                    ]
                })
        ]
    }

    /// Forgets a token, named by its id or by itself: `{revoked}`, false when there is none.
    func revokeToken(_ name: String) async throws -> JSON {
        let prefix: [UInt8]
        if let token = JoinToken(parsing: name) {
            prefix = token.secretHash
        } else if let bytes = Hexadecimal.decode(name), bytes.count == ClusterStore.tokenNameByteCount {
            prefix = bytes
        } else {
            throw CommandFailure(.usage, "\(name): neither a token nor the id of one (`flux node token ls`)")
        }
        let wasThere = try await asking { () throws(StoreError) in try await store.revokeToken(hashPrefix: prefix) }
        return ["revoked": .bool(wasThere)]
    }

    // MARK: Nodes

    /// `{cluster, nodes: [{name, id, address, state, alive, slots, …}]}`, by number.
    func nodes() async throws -> JSON {
        let members = try await asking { () throws(StoreError) in try await store.members() }
        return ["cluster": .string(identity.cluster.description), "nodes": .array(members.map(Self.json))]
    }

    /// The node that is asked, and how the cluster looks from it. Its row is `null` where Postgres does not answer: it is then that an
    /// operator asks why the node is not ready.
    func status() async throws -> JSON {
        let members = try? await asking { () throws(StoreError) in try await store.members() }
        let own = members?.first { $0.node.identity.node == identity.node.rawValue }
        let view = await part?.status()
        return [
            "cluster": .string(identity.cluster.description), "name": .string(identity.name),
            "id": JSON(Int(identity.node.rawValue)), "address": .string(advertised.description),
            "version": .string(FluxVersion.text), "wire": .string(versions.description),
            "ready": .bool(readiness.isReady),
            "reasons": .array(readiness.current.map { .string($0.text) }), "node": own.map(Self.json) ?? .null,
            "view": .array((view?.members ?? []).map(Self.json)), "unowned_slots": JSON(view?.unownedSlots ?? 0),
        ]
    }

    // MARK: The node that is asked

    /// How long a drain may take to give all slots away.
    static let drainTime = Duration.seconds(60)
    /// What an operator has to know after a drain that failed: it was not taken back.
    static let stillDrains = "The node is still draining: `flux node undrain` ends that."
    /// The same where it is not known how far the drain came.
    static let mayDrain = "The node may drain all the same (`flux node ls`): `flux node undrain` ends that."

    /// Gives all its slots to other nodes, and gets none until it is undrained or starts again: `{drained}`.
    func drain() async throws -> JSON {
        let part = try running()
        let isDone = try await asking(orSay: Self.mayDrain) { () throws(StoreError) in
            try await part.drain(atMost: Self.drainTime)
        }
        let status = await part.status()
        if !isDone, status.unreadyReasons.contains(.noDatabase) {
            throw CommandFailure(.unavailable, "Postgres does not answer the node. \(Self.stillDrains)")
        }
        // Whether it owns slots is decided there, and nowhere else.
        let members = try await asking(orSay: Self.stillDrains) { () throws(StoreError) in try await store.members() }
        let outcome = DrainOutcome(
            isDone: isDone, slots: members.first { isOwn($0) }?.slotCount ?? 0,
            isInMinority: status.unreadyReasons.contains(.minority),
            others: members.filter { !isOwn($0) }.map { row in
                let seen = status.members.first { $0.member.identity.id.rawValue == row.node.identity.node }
                return DrainOutcome.Other(isReached: seen?.health.isLiving == true, state: row.node.state)
            })
        guard let failure = outcome.failure else { return ["drained": true] }
        throw CommandFailure(failure.status, "\(failure.message). \(Self.stillDrains)")
    }

    private func isOwn(_ member: ClusterMemberRow) -> Bool { member.node.identity.node == identity.node.rawValue }

    /// Takes part again: `{drained}`, false.
    func undrain() async throws -> JSON {
        let part = try running()
        try await asking { () throws(StoreError) in try await part.undrain() }
        return ["drained": false]
    }

    /// Drains the node, then begins to end its process: `{leaving}`. A node that cannot be drained goes on, draining; but not the last
    /// one that has not left. One that starts has nothing to give away, and one that ends does so already.
    func leave() async throws -> JSON {
        if part != nil, !stopping.isMade, try await !isTheLast() { _ = try await drain() }
        stopping.make()
        return ["leaving": true]
    }

    private func isTheLast() async throws -> Bool {
        let members = try await asking { () throws(StoreError) in try await store.members() }
        return members.allSatisfy { isOwn($0) || $0.node.state == .left }
    }

    private func running() throws(CommandFailure) -> ClusterNode {
        guard let part else { throw CommandFailure(.unavailable, "the node is starting or stopping") }
        return part
    }

    // MARK: Dead nodes

    /// Removes a dead node: `{removed}`, false when that was done before.
    func remove(_ name: String) async throws -> JSON {
        switch try await asking({ () throws(StoreError) in try await store.remove(nodeNamed: name) }) {
        case .removed(let wasMember): return ["removed": .bool(wasMember)]
        case .alive:
            throw CommandFailure(
                .failure, "node \(name) lives: let it leave (`flux node leave` on it), or stop it and wait 3 seconds")
        case .unknown: throw CommandFailure(.failure, "no node of the cluster is called \(name)")
        }
    }

    private static func json(_ member: ClusterMemberRow) -> JSON {
        [
            "name": .string(member.node.name), "id": JSON(Int(member.node.identity.node)),
            "address": .string(member.node.address), "state": .string(member.node.state.rawValue),
            "alive": .bool(member.node.isLive && member.node.state != .left), "slots": JSON(member.slotCount),
            "weight": .number(.double(member.node.weight)), "joined_at": .string(member.joinedAt.text),
            "started_at": .string(member.startedAt.text),
            "certified_until": member.certifiedUntil.map { .string($0.text) } ?? .null,
        ]
    }

    private static func json(_ member: ClusterStatus.Member) -> JSON {
        [
            "name": .string(member.member.identity.name), "id": JSON(Int(member.member.identity.id.rawValue)),
            "health": .string("\(member.health)"), "ready": member.isReady.map { .bool($0) } ?? .null,
            "postgres": member.hasDatabase.map { .bool($0) } ?? .null, "linked": .bool(member.isLinked),
            "slots": JSON(member.slots),
        ]
    }

    /// - Parameter hint: what is said beside the failure.
    @discardableResult
    private func asking<Value>(
        orSay hint: String? = nil, _ question: () async throws(StoreError) -> Value
    ) async throws(CommandFailure) -> Value {
        do throws(StoreError) {
            return try await question()
        } catch {
            let failure = CommandFailure(error)
            throw hint.map { CommandFailure(failure.status, "\(failure.message). \($0)") } ?? failure
        }
    }
}

extension Timestamp {
    /// ISO 8601, as the API writes it.
    var text: String {
        var bytes: [UInt8] = []
        appendISO8601(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}
