import FluxCluster
import FluxCore
import FluxStore
import Logging

/// Performs what `SlotKeeper` decides: asks Postgres, tells the engine, sends to other nodes, and reports what came of it.
///
/// `@unchecked Sendable` is sound because only `loop` touches it, which each function asserts, through the runner or itself.
final class SlotDriver: @unchecked Sendable {
    /// How it reaches what lies outside.
    struct Ways {
        /// Sends; dropped without a link.
        var send: (SlotMessage, NodeID) -> Void
        /// What membership is to say of this node.
        var report: (_ isReady: Bool, _ isDraining: Bool, _ hasDatabase: Bool) -> Void
        /// The node is unfit for this reason, or no more.
        var unready: (UnreadyReason, Bool) -> Void
        /// Clients have to go elsewhere.
        var endSessions: (UnreadyReason) -> Void
        /// Nothing is left to give away, or no more so.
        var drained: (Bool) -> Void
    }

    private let loop: ClusterLoop
    private let desk: LeaseDesk
    private let hands: SlotHands
    private let ways: Ways
    private let metrics = ClusterMetrics()
    private let logger: Logger
    private let runner: MachineRunner<SlotKeeper>
    private var verdicts = VerdictQueue()
    private var releases = ReleaseQueue()
    /// A slot whose callers wait.
    private struct Pause {
        let number: UInt64
        let since: Duration
    }

    private var pauses: [Slot: Pause] = [:]
    private var lastPause: UInt64 = 0
    /// Called after each event.
    private var onProgress: (() -> Void)?

    init(
        identity: FluxCluster.NodeIdentity, view: MembershipView, loop: ClusterLoop, desk: LeaseDesk,
        hands: SlotHands, ways: Ways, logger: Logger
    ) {
        self.loop = loop
        self.desk = desk
        self.hands = hands
        self.ways = ways
        self.logger = logger
        runner = MachineRunner(SlotKeeper(identity: identity, view: view, at: loop.now), on: loop)
        runner.perform = { [unowned self] in perform($0) }
        runner.afterEvent = { [unowned self] in
            metrics.owned(keeper.ownedCount)
            onProgress?()
        }
    }

    // MARK: Asking

    private var keeper: SlotKeeper { runner.machine }

    /// How many slots each node owns, as far as is known here.
    var slotCounts: [NodeID: Int] { keeper.slotCounts }

    /// Whether every slot has an owner that lives.
    var isEverySlotOwned: Bool { keeper.isEverySlotOwned }

    /// Calls back on the loop after each event, from now on.
    func observe(_ progress: (() -> Void)?) { onProgress = progress }

    // MARK: Events

    /// The node can own slots from now on.
    func open() { happen { $0.open(at: $1) } }

    /// What membership believes has changed.
    func changed(_ view: MembershipView) { happen { $0.changed(view, at: $1) } }

    /// A node says something about slots.
    func received(_ message: SlotMessage, from node: NodeID) { happen { $0.received(message, from: node, at: $1) } }

    /// A heartbeat was answered.
    func heartbeatAnswered(living: Set<NodeID>) { happen { $0.heartbeatAnswered(living: living, at: $1) } }

    /// The clocks were compared.
    func clockCompared(isOff: Bool) { happen { $0.clockCompared(isOff: isOff, at: $1) } }

    /// Begins, or ends, to give all slots away.
    func drain(_ isDraining: Bool) { happen { $0.drain(isDraining, at: $1) } }

    /// Nothing happens any more.
    func stop() { runner.stop() }

    private func happen(_ event: @escaping MachineRunner<SlotKeeper>.Event) { runner.happen(event) }

    /// Something came of a hand-over. What comes of one that was called off is no step of the next, which has the same epoch.
    private func happened(to slot: Slot, in pause: UInt64?, _ event: @escaping MachineRunner<SlotKeeper>.Event) {
        if pauses[slot]?.number == pause { happen(event) }
    }

    // MARK: Actions

    private func perform(_ action: SlotKeeper.Action) {
        switch action {
        case .condemn(let subject): write(.condemn(subject))
        case .acquit(let subject): write(.acquit(subject))
        case .takeOver(let slots, let consented): takeOver(slots, consented)
        case .release(let slot, let epoch, let successor):
            releases.add(slot, epoch, to: successor)
            releaseNext()
        case .readLeases:
            ask {
                await $0.leases()
            } then: { driver, rows in
                driver.happen { $0.read(rows, at: $1) }
            }

        case .takeUp(let slots):
            logger.debug("took up slots", metadata: ["count": "\(slots.count)"])
            hands.takeUp(slots)
        case .giveUp(let slots):
            logger.warning("lost slots to other nodes", metadata: ["count": "\(slots.count)"])
            for slot in slots.keys { pauseEnded(slot, .lost) }
            hands.giveUp(slots)
        case .copy(let slot, let epoch, _):
            // The successor reads what is stored; the rest is small and goes when it has come to rest.
            happen { $0.copied(slot, epoch, succeeded: true, at: $1) }
        case .sendDifference(let slot, let epoch, let node):
            let pause = pauses[slot]?.number
            hands.sendMemory(of: slot, epoch, to: node) { [loop] succeeded in
                loop.post {
                    self.happened(to: slot, in: pause) { $0.copied(slot, epoch, succeeded: succeeded, at: $1) }
                }
            }
        case .pauseAndFlush(let slot, let epoch):
            lastPause += 1
            let pause = lastPause
            pauses[slot] = Pause(number: pause, since: loop.now)
            hands.pauseAndFlush(slot) { [loop] in
                loop.post {
                    self.happened(to: slot, in: pause) { $0.flushed(slot, epoch, succeeded: true, at: $1) }
                }
            }
        case .resume(let slot, _):
            logger.info("a hand-over was called off", metadata: ["slot": "\(slot.rawValue)"])
            pauseEnded(slot, .calledOff)
            hands.resume(slot)
        case .sendOn(let slot, let node, let epoch):
            pauseEnded(slot, .completed)
            hands.sendOn(slot, to: node, epoch)
        case .dropCopy(let slot, _): hands.dropMemory(of: slot)
        case .learn(let routes): hands.learn(routes)

        case .send(let message, let node): ways.send(message, node)
        case .report(let isReady, let isDraining, let hasDatabase): ways.report(isReady, isDraining, hasDatabase)
        case .unready(let reason, let applies): ways.unready(reason, applies)
        case .endSessions(let reason): ways.endSessions(reason)
        case .drained(let isDone): ways.drained(isDone)
        }
    }

    private func takeOver(_ slots: [Slot], _ consented: [Slot: Epoch]) {
        ask {
            await $0.takeOver(slots, consented: consented)
        } then: { driver, taken in
            for (reason, taken) in Dictionary(grouping: taken ?? [:], by: \.value.reason) {
                driver.metrics.tookOver(taken.count, reason)
                driver.logger.notice(
                    "took slots over", metadata: ["count": "\(taken.count)", "reason": "\(reason.rawValue)"])
            }
            driver.happen { $0.tookOver(taken?.mapValues(\.epoch), at: $1) }
        }
    }

    private func releaseNext() {
        guard let group = releases.begin() else { return }
        ask {
            await $0.release(group)
        } then: { driver, outcomes in
            driver.releases.ended()
            for (slot, outcome) in outcomes {
                guard let epoch = group.slots[slot] else { continue }
                driver.happen { $0.released(slot, epoch, outcome, at: $1) }
            }
            driver.releaseNext()
        }
    }

    private func pauseEnded(_ slot: Slot, _ outcome: ClusterMetrics.HandoverOutcome) {
        guard let pause = pauses.removeValue(forKey: slot) else { return }
        metrics.handover(outcome, paused: loop.now - pause.since)
    }

    // MARK: Verdicts

    /// Verdicts are written one after the other, so that a withdrawal never overtakes what it withdraws.
    private func write(_ verdict: VerdictQueue.Verdict) {
        verdicts.add(verdict)
        writeNext()
    }

    private func writeNext() {
        guard let verdict = verdicts.begin() else { return }
        ask { desk -> Bool in
            switch verdict {
            case .condemn(let subject): return await desk.condemn(subject)
            case .acquit(let subject):
                await desk.acquit(subject)
                return true
            }
        } then: { driver, succeeded in
            driver.verdicts.ended()
            if case .condemn(let subject) = verdict {
                driver.happen { $0.condemned(subject, succeeded: succeeded, at: $1) }
            }
            driver.writeNext()
        }
    }

    /// Asks Postgres, and goes on with the answer on the loop.
    private func ask<Answer: Sendable>(
        _ question: @escaping @Sendable (LeaseDesk) async -> Answer,
        then: @escaping @Sendable (SlotDriver, Answer) -> Void
    ) {
        let (desk, loop) = (desk, loop)
        Task {
            let answer = await question(desk)
            loop.post { then(self, answer) }
        }
    }
}
