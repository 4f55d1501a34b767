import FluxCore
import Testing

@testable import FluxCluster

@Suite struct ActorDirectoryTests {
    private typealias Directory = ActorDirectory<String, Int>
    private let address = ActorAddress.counter(1)

    private func ticket(_ admission: Directory.Admission) throws -> ActorTicket {
        guard case .activate(let ticket) = admission else { throw WireError.malformed("no activation: \(admission)") }
        return ticket
    }

    private func active(_ directory: inout Directory, _ address: ActorAddress) throws -> ActorTicket {
        let ticket = try ticket(directory.admit(0, at: address))
        _ = directory.activated("actor", as: ticket)
        directory.finished(ticket)
        return ticket
    }

    @Test func callsWaitForOneActivationAndRunInOrder() throws {
        var directory = Directory()
        let ticket = try ticket(directory.admit(1, at: address))
        for work in 2...5 {
            guard case .wait = directory.admit(work, at: address) else {
                Issue.record("must wait")
                return
            }
        }
        #expect(directory.resident(at: address) == nil)
        guard case .run([1, 2, 3, 4, 5], ticket) = directory.activated("actor", as: ticket) else {
            Issue.record("must run in order")
            return
        }
        guard case .run("actor", ticket) = directory.admit(6, at: address) else {
            Issue.record("must run")
            return
        }
        #expect(directory.resident(at: address) == "actor")
    }

    @Test func aFailedActivationIsForgotten() throws {
        var directory = Directory()
        let first = try ticket(directory.admit(1, at: address))
        _ = directory.admit(2, at: address)
        #expect(directory.failed(first) == [1, 2])
        #expect(directory.failed(first) == [])
        let second = try ticket(directory.admit(3, at: address))
        #expect(second != first)
        // The first activation's late success must not take the second's place.
        guard case .discard = directory.activated("late", as: first) else {
            Issue.record("must discard")
            return
        }
    }

    @Test func theQueuesAreBounded() throws {
        var directory = Directory(waitingBound: 2, runningBound: 3)
        let ticket = try ticket(directory.admit(1, at: address))
        _ = directory.admit(2, at: address)
        guard case .refuse = directory.admit(3, at: address) else {
            Issue.record("must refuse")
            return
        }
        _ = directory.activated("actor", as: ticket)
        guard case .run = directory.admit(4, at: address) else {
            Issue.record("must run")
            return
        }
        guard case .refuse = directory.admit(5, at: address) else {
            Issue.record("must refuse")
            return
        }
        directory.finished(ticket)
        guard case .run = directory.admit(6, at: address) else {
            Issue.record("must run")
            return
        }
    }

    @Test func onlyIdleActorsLeave() throws {
        var directory = Directory()
        let idle = try active(&directory, .counter(1))
        let called = try active(&directory, .counter(2))
        let busy = try active(&directory, .counter(3))
        #expect(directory.host("hosted", at: .counter(4)) == true)
        #expect(directory.host("again", at: .counter(4)) == false)
        _ = directory.admit(1, at: .counter(3))
        #expect(directory.idle(rounds: 2).isEmpty == true)
        #expect(directory.idle(rounds: 2).isEmpty == true)
        _ = directory.admit(1, at: .counter(2))
        directory.finished(called)
        #expect(directory.idle(rounds: 2).map(\.0) == [idle])
        // A call that comes between the question and the answer keeps it.
        _ = directory.admit(1, at: .counter(1))
        #expect(directory.passivate(idle) == false)
        directory.finished(idle)
        #expect(directory.passivate(idle) == true)
        #expect(directory.passivate(idle) == false)
        #expect(directory.passivate(busy) == false)
        #expect(directory.count == 3)
        #expect(try ticket(directory.admit(1, at: .counter(1))) != idle)
    }

    @Test func oneActorCanBeLetGo() throws {
        var directory = Directory()
        _ = try active(&directory, .counter(1))
        _ = try active(&directory, .counter(2))
        _ = directory.admit(7, at: .counter(3))
        let first = directory.remove(.counter(1))
        #expect(first.resident == "actor" && first.waiting.isEmpty)
        let third = directory.remove(.counter(3))
        #expect(third.resident == nil && third.waiting == [7])
        let absent = directory.remove(.counter(9))
        #expect(absent.resident == nil && absent.waiting.isEmpty)
        #expect(directory.count == 1)
        #expect(directory.resident(at: .counter(2)) == "actor")
    }

    @Test func removalTakesActorsAndWaitersAndOutlivesLateReports() throws {
        var directory = Directory()
        let active = try active(&directory, .counter(1))
        let pending = try ticket(directory.admit(7, at: .counter(2)))
        let removed = directory.remove { _ in true }
        #expect(removed.residents == ["actor"])
        #expect(removed.waiting == [7])
        guard case .discard = directory.activated("late", as: pending) else {
            Issue.record("must discard")
            return
        }
        let next = try ticket(directory.admit(8, at: .counter(1)))
        _ = directory.activated("new", as: next)
        // The old activation's answer must not count against the new one.
        directory.finished(active)
        #expect(directory.passivate(next) == false)
        directory.finished(next)
        #expect(directory.passivate(next) == true)
    }
}
