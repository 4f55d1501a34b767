import FluxCore

/// Who takes access from members and gives it back, as people do by requests to any node: each is repeated until it has an
/// answer.
final class Moderation {
    private enum Standing {
        case free
        /// This was taken.
        case taken(AccessRequest.Kind)
        /// Something was asked and has had no answer.
        case asking(attempt: Int, AccessRequest.Kind)
    }

    private struct Place: Hashable {
        let guild: GuildID
        let userID: UserID
    }

    /// Outlives all that stands in it.
    unowned(unsafe) let world: ChatWorld
    private var standings: [Place: Standing] = [:]
    /// When the last word about somebody's membership has reached all of their sessions.
    private var toldAt: [Place: Duration] = [:]
    private var lastAttempt = 0

    /// How long an answer is waited for.
    private static let patience = Duration.seconds(12)

    init(world: ChatWorld) { self.world = world }

    /// Whether everything asked has had an answer.
    var isSettled: Bool {
        standings.values.allSatisfy { if case .asking = $0 { false } else { true } }
    }

    /// Whether the user is a member of the guild, as far as they have heard.
    func isMember(_ userID: UserID, of guild: ChatGuild) -> Bool {
        switch standings[Place(guild: guild.id, userID: userID)] ?? .free {
        case .taken(.remove): false
        case .asking(_, .admit): false
        case .free, .taken, .asking: true
        }
    }

    /// Takes something from a member, or gives back what was taken. - Returns: false if an answer is awaited there.
    func moderate(_ userID: UserID, in guild: ChatGuild) -> Bool {
        switch standings[Place(guild: guild.id, userID: userID)] ?? .free {
        case .asking: return false
        case .taken(let kind): giveBack(kind, to: userID, in: guild)
        case .free:
            let kind: AccessRequest.Kind = world.chance(0.6) ? .hide(world.pick(guild.channels)) : .remove
            ask(AccessRequest(kind: kind, guild: guild, userID: userID))
        }
        return true
    }

    private func giveBack(_ taken: AccessRequest.Kind, to userID: UserID, in guild: ChatGuild) {
        let kind: AccessRequest.Kind = if case .hide(let channel) = taken { .show(channel) } else { .admit }
        ask(AccessRequest(kind: kind, guild: guild, userID: userID))
    }

    private func ask(_ request: AccessRequest) {
        let place = Place(guild: request.guild.id, userID: request.userID)
        lastAttempt += 1
        let attempt = lastAttempt
        standings[place] = .asking(attempt: attempt, request.kind)
        world.after(Self.patience) { [self] in askAgain(request, after: attempt) }
        let ready = world.nodes.all.filter { $0.isRunning && world.cluster.nodes.isReady($0.id) }
        guard !ready.isEmpty else { return }
        let node = world.pick(ready)
        world.after(world.milliseconds(0.2...2), on: node) { [self] in
            node.call(request.guild.slot, deadline: .seconds(10)) {
                (owner: ChatNode, respond: @escaping (GuildOwner.Answer?) -> Void) in
                owner.owner(of: request.guild) { owner in
                    guard let owner else { return respond(nil) }
                    owner.perform(request, respond)
                }
            } _: { [self] answer in
                world.after(world.milliseconds(0.2...2)) { [self] in answered(request, attempt, answer) }
            }
        }
    }

    private func isAwaited(_ attempt: Int, _ place: Place) -> Bool {
        if case .asking(attempt, _)? = standings[place] { true } else { false }
    }

    private func askAgain(_ request: AccessRequest, after attempt: Int) {
        if isAwaited(attempt, Place(guild: request.guild.id, userID: request.userID)) { ask(request) }
    }

    private func answered(_ request: AccessRequest, _ attempt: Int, _ answer: GuildOwner.Answer?) {
        let place = Place(guild: request.guild.id, userID: request.userID)
        guard isAwaited(attempt, place) else { return }
        guard let answer else {
            return world.after(world.milliseconds(200...1_000)) { [self] in askAgain(request, after: attempt) }
        }
        if case .done(let decision) = answer {
            world.access.acknowledged(request, decision, at: world.now)
        }
        world.auditor.trace(
            world.now, "guild \(request.guild.id.short): \(request.kind) of \(request.userID) is \(answer)")
        standings[place] = request.isTaking ? .taken(request.kind) : .free
        tellSessions(request)
        // Most get it back before long.
        guard request.isTaking, world.chance(0.85) else { return }
        world.after(world.milliseconds(200...3_000)) { [self] in
            guard case .taken(let kind)? = standings[place] else { return }
            world.auditor.operations += 1
            giveBack(kind, to: request.userID, in: request.guild)
        }
    }

    /// The member's own stream says that they have joined, or left. It is not modelled: each of their sessions hears of it for
    /// certain, and in order.
    private func tellSessions(_ request: AccessRequest) {
        let guild = request.guild
        let tell: (ChatSession) -> Void
        switch request.kind {
        case .admit: tell = { $0.join(guild) }
        case .remove: tell = { $0.leave(guild) }
        case .hide, .show: return
        }
        let place = Place(guild: guild.id, userID: request.userID)
        // Somebody who is let in again right after they were put out hears of the first before the second.
        let earliest = toldAt[place].map { max($0 - world.now, .zero) } ?? .zero
        var latest = earliest
        for node in world.nodes.all where node.isRunning {
            let coming = node.arrivals.sorted { $0.key < $1.key }.compactMap(\.value.session)
            for session in node.sessions.values.sorted(by: { $0.number < $1.number }) + coming
            where session.userID == request.userID {
                let wait = max(earliest, world.milliseconds(0.2...20))
                latest = max(latest, wait)
                world.after(wait, on: node) { tell(session) }
            }
        }
        toldAt[place] = world.now + latest
    }
}
