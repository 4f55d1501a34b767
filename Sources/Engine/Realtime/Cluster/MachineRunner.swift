import DequeModule
import FluxCluster
import NIOCore

/// A state machine that says when it wants to be asked next.
protocol TimedMachine: SendableMetatype {
    associatedtype Action

    /// When `advance` is to be called, if nothing happens before.
    var nextWakeUp: Duration { get }

    /// It is `now`. - Returns: what is to be done, in order.
    mutating func advance(to now: Duration) -> [Action]
}

extension Membership: TimedMachine {}
extension SlotKeeper: TimedMachine {}

/// Runs one of the machines of a node's part in its cluster: one event after the other, and the alarm for what is due next.
///
/// `@unchecked Sendable` is sound because only `loop` touches it, which each function asserts.
final class MachineRunner<Machine: TimedMachine>: @unchecked Sendable {
    typealias Event = (inout Machine, Duration) -> [Machine.Action]

    private let loop: ClusterLoop
    /// Does what the machine says; it may make something happen, which comes after the rest of the actions.
    var perform: (Machine.Action) -> Void = { _ in }
    /// Called after the actions of each event.
    var afterEvent: () -> Void = {}
    private(set) var machine: Machine
    private var alarm: Scheduled<Void>?
    private var isStopped = false
    /// What happens now, and what that made happen.
    private var events = Deque<Event>()

    init(_ machine: Machine, on loop: ClusterLoop) {
        self.machine = machine
        self.loop = loop
    }

    func happen(_ event: @escaping Event) {
        loop.assertInLoop()
        guard !isStopped else { return }
        events.append(event)
        guard events.count == 1 else { return }
        while let event = events.first {
            for action in event(&machine, loop.now) { perform(action) }
            afterEvent()
            events.removeFirst()
        }
        alarm?.cancel()
        alarm = loop.schedule(at: machine.nextWakeUp) { [weak self] in
            self?.happen { $0.advance(to: $1) }
        }
    }

    /// Nothing happens any more.
    func stop() {
        loop.assertInLoop()
        isStopped = true
        alarm?.cancel()
    }
}
