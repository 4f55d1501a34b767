import DequeModule
import FluxCore

/// Names one activation of one actor; a call that runs holds it until it is answered.
struct ActorTicket: Hashable, Sendable {
    let address: ActorAddress
    let activation: UInt64
}

/// Which actors live on one loop, and which calls wait for one that is being made.
///
/// A pure state machine; one exists per loop and only that loop uses it. Guarantees:
/// - **One activation per address**, however many calls come while it is under way; they wait in order, up to a bound, and
///   run in that order before any later one.
/// - A failed activation fails everybody who waited and is not remembered: the next call tries again.
/// - **Passivation loses no call**: an actor is dropped only between calls and within one step of the loop, so a call finds
///   either the old activation or starts a new one.
/// - An actor whose slot is lost is gone at once; an activation that was under way for it is thrown away when it ends.
struct ActorDirectory<Resident, Work> {
    /// What to do with a call.
    enum Admission {
        /// The actor is here: run it, and report `finished` with the ticket when it is answered.
        case run(Resident, ActorTicket)
        /// Make the actor; the call waits.
        case activate(ActorTicket)
        /// The call waits for an activation under way.
        case wait
        /// Too much waits for or runs in this actor.
        case refuse
    }

    /// What became of an activation.
    enum Settlement {
        /// The actor is in place: run these, in this order.
        case run([Work], ActorTicket)
        /// The slot was lost meanwhile: drop the actor.
        case discard
    }

    private enum Phase {
        case activating(Deque<Work>)
        case active(Resident)
    }

    private struct Entry {
        let activation: UInt64
        var phase: Phase
        /// Calls that run and are not answered.
        var running = 0
        /// The round of `idle` in which the actor was last called.
        var lastRound: UInt64
        /// It was not made by a call, so no call could make it again: it does not leave by itself.
        var isHosted = false
    }

    private var entries: [ActorAddress: Entry] = [:]
    private var nextActivation: UInt64 = 1
    private var round: UInt64 = 0
    private let waitingBound: Int
    private let runningBound: Int

    /// An empty directory. `waitingBound`: calls that may wait for one activation; `runningBound`: calls that may run in
    /// one actor without being answered.
    init(waitingBound: Int = 10_000, runningBound: Int = 100_000) {
        // Those that waited run at once when the actor is there.
        self.waitingBound = min(waitingBound, runningBound)
        self.runningBound = runningBound
    }

    /// How many actors are here or being made.
    var count: Int { entries.count }

    /// Whether the actor at the address is here or being made.
    func holds(_ address: ActorAddress) -> Bool { entries[address] != nil }

    /// The actor at the address, if it is active.
    func resident(at address: ActorAddress) -> Resident? {
        guard case .active(let resident)? = entries[address]?.phase else { return nil }
        return resident
    }

    /// The active actors that the condition holds for.
    func residents(where condition: (ActorAddress) -> Bool) -> [Resident] {
        entries.compactMap { address, entry in
            guard condition(address), case .active(let resident) = entry.phase else { return nil }
            return resident
        }
    }

    /// A call for the address came.
    mutating func admit(_ work: Work, at address: ActorAddress) -> Admission {
        guard let index = entries.index(forKey: address) else {
            let ticket = ActorTicket(address: address, activation: mintActivation())
            entries[address] = Entry(
                activation: ticket.activation, phase: .activating([work]), lastRound: round)
            return .activate(ticket)
        }
        switch entries.values[index].phase {
        case .active(let resident):
            guard entries.values[index].running < runningBound else { return .refuse }
            entries.values[index].running += 1
            entries.values[index].lastRound = round
            return .run(resident, ActorTicket(address: address, activation: entries.values[index].activation))
        case .activating(var waiting):
            guard waiting.count < waitingBound else { return .refuse }
            // The queue is taken out of the entry while it grows, so that it is not copied.
            entries.values[index].phase = .activating([])
            waiting.append(work)
            entries.values[index].phase = .activating(waiting)
            return .wait
        }
    }

    /// Puts an actor in place that somebody made without a call; false if the address is taken.
    mutating func host(_ resident: Resident, at address: ActorAddress) -> Bool {
        guard entries[address] == nil else { return false }
        entries[address] = Entry(
            activation: mintActivation(), phase: .active(resident), lastRound: round, isHosted: true)
        return true
    }

    /// The actor of an activation is ready.
    mutating func activated(_ resident: Resident, as ticket: ActorTicket) -> Settlement {
        guard let entry = entries[ticket.address], entry.activation == ticket.activation,
            case .activating(let waiting) = entry.phase
        else { return .discard }
        entries[ticket.address] = Entry(
            activation: ticket.activation, phase: .active(resident), running: waiting.count, lastRound: round)
        return .run(Array(waiting), ticket)
    }

    /// An activation failed; who waited for it.
    mutating func failed(_ ticket: ActorTicket) -> [Work] {
        guard let entry = entries[ticket.address], entry.activation == ticket.activation,
            case .activating(let waiting) = entry.phase
        else { return [] }
        entries[ticket.address] = nil
        return Array(waiting)
    }

    /// A call that ran in this activation has been answered; whether the activation is still here.
    @discardableResult
    mutating func finished(_ ticket: ActorTicket) -> Bool {
        guard let index = entries.index(forKey: ticket.address),
            entries.values[index].activation == ticket.activation
        else { return false }
        entries.values[index].running -= 1
        return true
    }

    /// How many calls run in the actors that the condition holds for.
    func runningCount(where condition: (ActorAddress) -> Bool) -> Int {
        entries.reduce(0) { condition($1.key) ? $0 + $1.value.running : $0 }
    }

    /// Takes out the calls that wait for activations of actors that the condition holds for; the activations go on.
    mutating func takeWaiting(where condition: (ActorAddress) -> Bool) -> [Work] {
        var taken: [Work] = []
        for (address, entry) in entries where condition(address) {
            guard case .activating(let waiting) = entry.phase else { continue }
            taken += waiting
            entries[address]?.phase = .activating([])
        }
        return taken
    }

    /// Begins a new round; actors that nobody called for `rounds` full rounds and that have no call running.
    mutating func idle(rounds: UInt64) -> [(ActorTicket, Resident)] {
        round += 1
        return entries.compactMap { address, entry in
            guard case .active(let resident) = entry.phase, entry.running == 0, !entry.isHosted,
                round - entry.lastRound > rounds
            else { return nil }
            return (ActorTicket(address: address, activation: entry.activation), resident)
        }
    }

    /// Lets go of an actor that agreed to leave; false if it has been called since.
    mutating func passivate(_ ticket: ActorTicket) -> Bool {
        guard let entry = entries[ticket.address], entry.activation == ticket.activation, entry.running == 0 else {
            return false
        }
        entries[ticket.address] = nil
        return true
    }

    /// Lets go of one actor: the active one, and the calls that waited for it.
    mutating func remove(_ address: ActorAddress) -> (resident: Resident?, waiting: [Work]) {
        switch entries.removeValue(forKey: address)?.phase {
        case .active(let resident)?: (resident, [])
        case .activating(let queue)?: (nil, Array(queue))
        case nil: (nil, [])
        }
    }

    /// Lets go of all actors that the condition holds for: the active ones, and the calls that waited for others.
    mutating func remove(where condition: (ActorAddress) -> Bool) -> (residents: [Resident], waiting: [Work]) {
        var residents: [Resident] = []
        var waiting: [Work] = []
        for (address, entry) in entries where condition(address) {
            switch entry.phase {
            case .active(let resident): residents.append(resident)
            case .activating(let queue): waiting.append(contentsOf: queue)
            }
            entries[address] = nil
        }
        return (residents, waiting)
    }

    private mutating func mintActivation() -> UInt64 {
        defer { nextActivation += 1 }
        return nextActivation
    }
}
