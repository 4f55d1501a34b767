import FluxCluster
import FluxCore
import FluxRealtime
import FluxStore

/// Who may do what in the guild: what `GuildActor` and `GuildHome` do around `GuildState` and `GuildWatchers`.
///
/// Notices to the people concerned are not modelled: they belong to the users' streams.
extension GuildOwner {
    /// What comes of a request to change access.
    enum Answer {
        /// Durable, and in force at every session.
        case done(AccessRecord.Decision)
        /// Refused for good, with this code.
        case refused(Int)
    }

    /// What a session is answered that asks for the guild.
    enum Opening {
        case opened(GuildSnapshot)
        /// The user is no member.
        case refused
    }

    private var moment: Timestamp { Timestamp(milliseconds: world.wallClock(of: node.id)) }

    /// Whether the member has all of these permissions in the channel now.
    func permits(_ needed: Permissions, to userID: UserID, in channel: ChannelID) -> Bool {
        do throws(APIError) {
            return try state.checkedPermissions(of: userID, in: channel, at: moment).isSuperset(of: needed)
        } catch {
            return false
        }
    }

    // MARK: Sessions

    /// A member's session asks for the guild.
    func open(_ userID: UserID, on peer: NodeID) -> Opening {
        guard let visibility = state.visibility(of: userID) else { return .refused }
        watch(userID, on: peer)
        return .opened(
            GuildSnapshot(
                position: publisher.position, visibility: visibility,
                heads: Dictionary(uniqueKeysWithValues: state.heads.map { ($0.channelID, $0) })))
    }

    func watch(_ userID: UserID, on peer: NodeID) { watchers.begin(userID, on: peer, at: publisher.position) }

    func unwatch(_ userID: UserID, on peer: NodeID) { watchers.end(userID, on: peer) }

    // MARK: Changes

    /// Carries out a request, after those before it. It is committed first, then told; the answer follows when it is in force.
    func perform(_ request: AccessRequest, _ respond: @escaping (Answer?) -> Void) {
        turns.enter { [self] in
            guard isActive else { return finish(nil, respond) }
            do throws(APIError) { try begin(request, respond) } catch { refuse(error.code, respond) }
        }
    }

    /// Who is refused takes it that an earlier try was carried out. In production an owner reads that in Postgres; here the fence says
    /// whether it may know.
    private func refuse(_ code: Int, _ respond: @escaping (Answer?) -> Void) {
        do throws(StoreError) {
            try node.commit(.statements([]), slot: guild.slot, epoch: epoch) { [self] result in
                finish(result == .committed ? .refused(code) : nil, respond)
            }
        } catch {
            finish(nil, respond)
        }
    }

    private func begin(_ request: AccessRequest, _ respond: @escaping (Answer?) -> Void) throws(APIError) {
        let planning = GuildPlanning(now: moment, users: world.messages.guilds.users) { () throws(APIError) in
            throw .notCommitted
        }
        let plan = try state.plan(request.command, planning)
        var decision = world.access.decided(
            request, isChange: !plan.changes.isEmpty, at: world.now, publisher.position)
        // What is so already must be so at the owner that the fence lets through.
        let statements =
            plan.changes.isEmpty
            ? [] : state.statements(for: plan.changes) + [.setGuildVersion(version + 1, of: guild.id)]
        isCommitting = true
        do throws(StoreError) {
            try node.commit(.statements(statements), slot: guild.slot, epoch: epoch) { [self] result in
                isCommitting = false
                guard result == .committed else { return finish(nil, respond) }
                if !plan.changes.isEmpty {
                    apply(plan)
                    decision.published(at: world.now, publisher.position)
                }
                if world.bug == .accessTakenBeforeConfirmation { return finish(.done(decision), respond) }
                let decision = decision
                node.confirm(guild.key, upTo: publisher.position) { [self] in finish(.done(decision), respond) }
            }
        } catch {
            isCommitting = false
            finish(nil, respond)
        }
    }

    private func finish(_ answer: Answer?, _ respond: (Answer?) -> Void) {
        respond(answer)
        turns.leave()
    }

    /// A plan is durable: changes the guild and tells everyone who listens.
    private func apply(_ plan: GuildPlan) {
        version += 1
        for event in state.apply(plan.changes, at: moment) {
            let next = publisher.next(
                event.kind, body: event.body, audience: event.audience, subject: event.subject,
                control: event.control.map(forWatchers), mark: .version(version))
            node.relays.publish(next, of: guild.key)
        }
        for change in plan.changes {
            if case .memberRemoved(let userID) = change { watchers.forget(userID) }
        }
    }

    /// Changes of access matter only to members who listen.
    private func forWatchers(_ control: StreamControl) -> StreamControl {
        guard case .access(let changes) = control else { return control }
        return .access(changes.filter { watchers.contains($0.userID) })
    }
}
