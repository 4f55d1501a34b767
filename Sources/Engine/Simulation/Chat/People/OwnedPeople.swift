import FluxCluster
import FluxCore
import FluxRealtime

/// The users and conversations that a process owns.
struct OwnedPeople {
    var users: [UserID: UserOwner] = [:]
    var directs: [ChannelID: DirectOwner] = [:]
    /// Who waits until a user is in memory.
    var userActivations: [UserID: [(UserOwner?) -> Void]] = [:]
    /// Who waits until a conversation is in memory.
    var directActivations: [ChannelID: [(DirectOwner?) -> Void]] = [:]
    /// How many mutations of users are on their way to Postgres.
    var openStatements = 0
    /// When it is looked for what waits in the outbox.
    var sweeps = SweepSchedule()
    var isSweeping = false

    /// Whether nothing is under way.
    var isAtRest: Bool { users.values.allSatisfy(\.isAtRest) && directs.values.allSatisfy(\.isAtRest) }
}

extension ChatNode {
    /// The node's clock, as rows and ids carry it.
    var timestamp: Timestamp { Timestamp(milliseconds: world.wallClock(of: id)) }

    // MARK: Owners

    /// The user's owner on this node, brought into memory first where it is not; nil when it cannot be had now.
    func user(_ userID: UserID, _ body: @escaping (UserOwner?) -> Void) {
        if let owner = people.users[userID] { return body(owner) }
        let slot = Slot(of: userID)
        guard let epoch = owned[slot] else { return body(nil) }
        people.userActivations[userID, default: []].append(body)
        guard people.userActivations[userID]?.count == 1 else { return }
        let society = world.society
        world.read(for: self) {
            $0.person(userID, in: society)
        } _: { [self] loaded in
            var owner: UserOwner?
            if case let loaded?? = loaded, owned[slot] == epoch {
                owner = UserOwner(loaded, node: self, epoch: epoch)
                people.users[userID] = owner
            }
            // Only now: whoever waited for the stream asks while the owner is made.
            for body in people.userActivations.removeValue(forKey: userID) ?? [] { body(owner) }
        }
    }

    /// The conversation's owner on this node, brought into memory first where it is not; nil when it cannot be had now.
    func conversation(_ direct: ChatDirect, _ body: @escaping (DirectOwner?) -> Void) {
        if let owner = people.directs[direct.id] { return body(owner) }
        guard let epoch = owned[direct.slot] else { return body(nil) }
        people.directActivations[direct.id, default: []].append(body)
        guard people.directActivations[direct.id]?.count == 1 else { return }
        world.read(for: self) {
            $0.activation(of: direct.id)
        } _: { [self] stored in
            reserveIdentifiers(above: stored?.lastMessageID) { [self] isReserved in
                var owner: DirectOwner?
                if isReserved, let stored, stored.epoch <= epoch, owned[direct.slot] == epoch {
                    owner = DirectOwner(direct, node: self, epoch: epoch, stored)
                    people.directs[direct.id] = owner
                }
                // Only now: what the new owner does at once may ask for itself.
                let bodies = people.directActivations.removeValue(forKey: direct.id) ?? []
                for body in bodies { body(owner) }
            }
        }
    }

    /// The slot is lost or given away.
    func letGoOfPeople(in slot: Slot) {
        for userID in world.society.users where Slot(of: userID) == slot {
            people.users.removeValue(forKey: userID)?.deactivate()
        }
        for direct in world.society.directs where direct.slot == slot {
            people.directs.removeValue(forKey: direct.id)?.deactivate()
        }
    }

    /// Whether something of the slot's users and conversations is on its way to Postgres.
    func hasUnsettledPeople(in slot: Slot) -> Bool {
        people.users.values.contains { $0.slot == slot && ($0.openCommits > 0 || !$0.isQuiet) }
            || people.directs.values.contains { $0.slot == slot && $0.hasUnsettled }
    }

    /// These slots have other owners.
    func peopleMoved(_ slots: Set<Slot>) {
        for userID in world.society.users { people.users[userID]?.slotsMoved(slots) }
        for direct in world.society.directs { people.directs[direct.id]?.slotsMoved(slots) }
    }

    // MARK: Calls

    /// Tells a user's owner something; whether it has heard.
    func tell(
        _ userID: UserID, _ body: @escaping (UserOwner) -> Void, _ completion: @escaping (_ isDone: Bool) -> Void
    ) {
        call(Slot(of: userID), deadline: .seconds(5)) { (node: ChatNode, respond: @escaping (Bool?) -> Void) in
            node.user(userID) { owner in
                guard let owner else { return respond(nil) }
                body(owner)
                respond(true)
            }
        } _: {
            completion($0 ?? false)
        }
    }

    /// Tells a user's owner that something waits for it in the outbox.
    func hint(_ userID: UserID, _ completion: @escaping () -> Void = {}) {
        call(Slot(of: userID), deadline: .seconds(5)) { (node: ChatNode, respond: @escaping (Bool?) -> Void) in
            node.user(userID) { owner in
                guard let owner else { return respond(nil) }
                owner.takeFromOutbox { respond(true) }
            }
        } _: { _ in
            completion()
        }
    }

    // MARK: The outbox

    /// What `OutboxSweep` does, once a second, in the slots in which there are users.
    func sweepOutbox() {
        guard !people.isSweeping, world.bug != .outboxUnswept else { return }
        var slots: [Slot: Epoch] = [:]
        for userID in world.society.users { slots[Slot(of: userID)] = owned[Slot(of: userID)] }
        let look = people.sweeps.look(into: slots, at: world.now)
        guard !look.slots.isEmpty else { return people.sweeps.succeeded(look, at: world.now) }
        people.isSweeping = true
        let wanted = Set(look.slots)
        world.read(for: self) {
            $0.people.outbox.filter { wanted.contains($0.targetSlot) }.compactMap { $0.target?.id }
        } _: { [self] targets in
            people.isSweeping = false
            guard let targets else { return }
            people.sweeps.succeeded(look, at: world.now)
            for target in Set(targets).sorted() { hint(target) }
        }
    }
}
