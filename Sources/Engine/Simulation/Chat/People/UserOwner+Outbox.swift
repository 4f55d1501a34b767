import FluxCore
import FluxRealtime
import FluxStore

/// Commands, and what changes of others mean for the user (I11).
extension UserOwner {
    /// Carries out a command of the user. - Parameter respond: is told the version of what they say of the other one; nil if
    /// nothing is changed.
    func perform(_ command: UserCommand, about peerID: UserID, _ respond: @escaping (Snowflake?) -> Void) {
        guard isCaughtUp || world.bug == .outboxUnswept else {
            return takeFromOutbox { [self] in decide(command, about: peerID, respond) }
        }
        decide(command, about: peerID, respond)
    }

    private func decide(_ command: UserCommand, about peerID: UserID, _ respond: @escaping (Snowflake?) -> Void) {
        guard isActive else { return respond(nil) }
        turns.enter { [self] in
            guard isActive, let plan = try? state.plan(command, planning) else {
                leaveTurn()
                return respond(nil)
            }
            carryOut(plan) { [self] isDurable in
                let version = state.side(with: peerID, at: node.timestamp).own.version
                leaveTurn()
                respond(isDurable ? version : nil)
            }
        }
    }

    /// Applies what waits in the outbox, in the order of its ids. What cannot be applied now stays there until somebody looks
    /// again.
    func takeFromOutbox(_ completion: @escaping () -> Void) {
        guard isActive else { return completion() }
        waitingLooks.append(completion)
        guard waitingLooks.count == 1 else { return }
        turns.enter { [self] in
            let completions = waitingLooks
            waitingLooks = []
            look { [self] isDone in
                if isDone { isCaughtUp = true }
                leaveTurn()
                for completion in completions { completion() }
            }
        }
    }

    private func leaveTurn() {
        turns.leave()
        if isQuiet { node.finishFlushes() }
    }

    private func look(_ completion: @escaping (Bool) -> Void) {
        let userID = userID
        world.read(for: node) {
            $0.people.pending(for: userID)
        } _: { [self] entries in
            guard isActive, let entries else { return completion(false) }
            take(entries[...], completion)
        }
    }

    private func take(_ entries: ArraySlice<OutboxEntry>, _ completion: @escaping (Bool) -> Void) {
        guard let entry = entries.first else { return completion(true) }
        guard isActive, let plan = try? state.plan(entry, planning) else { return completion(false) }
        carryOut(world.bug == .outboxForgotten ? plan.withoutConsequence : plan) { [self] isDurable in
            if isDurable { take(entries.dropFirst(), completion) } else { completion(false) }
        }
    }

    private var planning: UserPlanning {
        UserPlanning(now: node.timestamp, users: world.society.accounts) { [unowned node] () throws(APIError) in
            guard let id = node.minter.mint(atMilliseconds: node.world.wallClock(of: node.id)) else {
                throw .notCommitted
            }
            return id
        }
    }
}

extension UserPlan {
    /// Only the taking, for a planted mistake.
    fileprivate var withoutConsequence: UserPlan {
        var plan = self
        plan.changes.removeAll { if case .noticeTaken = $0 { false } else { true } }
        return plan
    }
}
