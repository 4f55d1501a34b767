import Testing

@testable import flux_bench

@Suite struct SessionMachineTests {
    private func live() -> SessionMachine {
        var machine = SessionMachine()
        #expect(machine.start() == .connect(after: 0))
        machine.connecting()
        #expect(machine.hello() == .identify)
        let wasReady1 = machine.ready()
        #expect(wasReady1 == true)
        return machine
    }

    @Test func aLostConnectionIsResumed() {
        var machine = live()
        guard case .connect(let pause) = machine.disconnected(closeCode: nil, jitter: 0) else {
            Issue.record("it does not come back")
            return
        }
        #expect(pause <= SessionMachine.longestPause)
        machine.connecting()
        #expect(machine.hello() == .resume)
        let wasReady2 = machine.ready()
        #expect(wasReady2 == false, "READY does not answer RESUME")
        let wasResumed3 = machine.resumed()
        #expect(wasResumed3 == true)
        #expect(machine.resumptions == 1)
        #expect(machine.lostSessions == 0)
    }

    /// One that an earlier connection lost is replayed before this one's own.
    @Test func anOldResumedIsReplayedBeforeTheNewOne() {
        var machine = live()
        let unasked = machine.resumed()
        #expect(unasked == false)
        _ = machine.disconnected(closeCode: nil, jitter: 0)
        machine.connecting()
        _ = machine.hello()
        let (replayed, own) = (machine.resumed(), machine.resumed())
        #expect(replayed && own)
        #expect(machine.resumptions == 1)
    }

    @Test func aSessionThatIsGoneBeginsAnewOnTheSameConnection() {
        var machine = live()
        _ = machine.disconnected(closeCode: nil, jitter: 0)
        machine.connecting()
        _ = machine.hello()
        #expect(machine.invalidSession(isResumable: false, jitter: 0) == .identify)
        #expect(machine.lostSessions == 1)
        let wasReady4 = machine.ready()
        #expect(wasReady4 == true)
        #expect(machine.state == .live)
    }

    @Test func aStreamThatBrokeEndsALiveSession() {
        var machine = live()
        #expect(machine.invalidSession(isResumable: false, jitter: 0) == .identify)
        let wasReady5 = machine.ready()
        #expect(wasReady5 == true)
    }

    @Test func aServerThatAsksForItIsLeftAndComeBackTo() {
        var machine = live()
        guard case .leave = machine.leave(jitter: 3) else {
            Issue.record("it stays")
            return
        }
        #expect(machine.state == .away)
        machine.connecting()
        #expect(machine.hello() == .resume)
    }

    @Test(arguments: [4_004, 4_010, 4_011, 4_012, 4_013, 4_014]) func codesAfterWhichAClientDoesNotReturn(code: Int) {
        var machine = live()
        guard case .giveUp = machine.disconnected(closeCode: code, jitter: 0) else {
            Issue.record("it comes back after \(code)")
            return
        }
        #expect(machine.disconnected(closeCode: nil, jitter: 0) == .none)
    }

    /// Pauses grow to a bound, and begin anew once it was live.
    @Test func pausesAreBounded() {
        var machine = live()
        var pauses: [Int] = []
        for _ in 0..<20 {
            guard case .connect(let pause) = machine.disconnected(closeCode: nil, jitter: 999) else { break }
            pauses.append(pause)
            machine.connecting()
        }
        #expect(pauses.count == 20)
        #expect(pauses.allSatisfy { $0 <= SessionMachine.longestPause })
        #expect((pauses.last ?? 0) > (pauses.first ?? 0))
        _ = machine.hello()
        let wasResumed6 = machine.resumed()
        #expect(wasResumed6 == true)
        guard case .connect(let pause) = machine.disconnected(closeCode: nil, jitter: 999) else { return }
        #expect(pause <= pauses.first ?? 0)
    }

    @Test func nothingComesBackAfterTheEnd() {
        var machine = live()
        machine.end()
        #expect(machine.disconnected(closeCode: nil, jitter: 0) == .none)
        #expect(machine.leave(jitter: 0) == .none)
    }
}
