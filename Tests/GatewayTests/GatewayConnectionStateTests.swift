import FluxRealtime
import NIOCore
import Testing

@testable import FluxGateway

/// Protocol 7.3 to 7.6, told to the state machine as opcodes and times.
@Suite struct GatewayConnectionStateTests {
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

    private func opened() -> GatewayConnectionState {
        GatewayConnectionState(limits: .init(), openedAt: start)
    }

    private func attached() -> GatewayConnectionState {
        var state = opened()
        #expect(state.admit(opcode: 2, at: start) == .perform(.identify))
        state.established()
        return state
    }

    @Test func aHeartbeatMayComeBeforeIdentify() {
        var state = opened()
        #expect(state.admit(opcode: 1, at: start) == .perform(.heartbeat))
        #expect(state.admit(opcode: 2, at: start) == .perform(.identify))
        #expect(state.admit(opcode: 1, at: start) == .perform(.heartbeat))
    }

    @Test(arguments: [3, 4, 8, 100]) func whatNeedsASessionWaitsForIt(opcode: Int) {
        var state = opened()
        #expect(state.admit(opcode: opcode, at: start) == .close(.notIdentified))
        let known = GatewayOpcode(rawValue: opcode)!
        _ = state.admit(opcode: 2, at: start)
        #expect(state.admit(opcode: opcode, at: start) == .holdBack(known))
        state.established()
        #expect(state.admit(opcode: opcode, at: start) == .perform(known))
    }

    @Test func whatIsHeldBackIsBounded() {
        var state = opened()
        _ = state.admit(opcode: 6, at: start)
        for _ in 0..<64 { #expect(state.admit(opcode: 100, at: start) == .holdBack(.messageSend)) }
        #expect(state.admit(opcode: 100, at: start) == .close(.rateLimited))
    }

    @Test(arguments: [2, 6], [2, 6]) func identifyingTwiceIsRefused(first: Int, second: Int) {
        var state = opened()
        #expect(state.admit(opcode: first, at: start) == .perform(GatewayOpcode(rawValue: first)!))
        #expect(state.admit(opcode: second, at: start) == .close(.alreadyIdentified))
        state.established()
        #expect(state.admit(opcode: second, at: start) == .close(.alreadyIdentified))
    }

    @Test(arguments: [-1, 0, 5, 7, 9, 10, 11, 12, 13, 15, 30, 32, 42, 44, 99, 101, 102, .max, .min])
    func unknownOpcodes(opcode: Int) {
        var state = attached()
        #expect(state.admit(opcode: opcode, at: start) == .close(.unknownOpcode))
    }

    @Test(arguments: [14, 31, 43]) func someOpcodesAreIgnored(opcode: Int) {
        var state = opened()
        #expect(state.admit(opcode: opcode, at: start) == .ignore)
        state = attached()
        #expect(state.admit(opcode: opcode, at: start) == .ignore)
    }

    @Test func afterInvalidSessionThereIsAnotherChance() {
        var state = opened()
        _ = state.admit(opcode: 6, at: start)
        let later = start + .seconds(20)
        state.sessionInvalidated(at: later)
        #expect(state.admit(opcode: 3, at: later) == .close(.notIdentified))
        #expect(!state.isOverdue(at: start + .seconds(45)))
        #expect(state.admit(opcode: 2, at: later) == .perform(.identify))
        state.established()
        #expect(state.admit(opcode: 100, at: later) == .perform(.messageSend))
    }

    // MARK: Times

    @Test func identifyIsDueIn30Seconds() {
        var state = opened()
        #expect(state.deadline == start + .seconds(30))
        #expect(!state.isOverdue(at: start + .milliseconds(29_999)))
        #expect(state.isOverdue(at: start + .seconds(30)))
        _ = state.admit(opcode: 2, at: start + .seconds(29))
        #expect(!state.isOverdue(at: start + .seconds(31)))
    }

    @Test func heartbeatsAreDueInOneAndAHalfIntervals() {
        var state = attached()
        let allowed = TimeAmount.microseconds(61_875_000)
        #expect(state.deadline == start + allowed)
        _ = state.admit(opcode: 1, at: start + .seconds(40))
        #expect(state.deadline == start + .seconds(40) + allowed)
        // Other payloads are no heartbeats.
        _ = state.admit(opcode: 100, at: start + .seconds(100))
        #expect(!state.isOverdue(at: start + .seconds(101)))
        #expect(state.isOverdue(at: start + .seconds(40) + allowed))
    }

    @Test func heartbeatsDoNotStandInForIdentify() {
        var state = opened()
        _ = state.admit(opcode: 1, at: start + .seconds(29))
        #expect(state.isOverdue(at: start + .seconds(30)))
    }

    // MARK: The budget

    @Test func payloadsAreLimitedTo120AMinute() {
        var state = attached()
        for _ in 0..<119 { #expect(state.admit(opcode: 3, at: start) == .perform(.presenceUpdate)) }
        #expect(state.admit(opcode: 1, at: start) == .perform(.heartbeat))
        #expect(state.admit(opcode: 100, at: start) == .perform(.messageSend))
        #expect(state.admit(opcode: 3, at: start + .milliseconds(59_999)) == .close(.rateLimited))
        state = attached()
        for _ in 0..<119 { _ = state.admit(opcode: 3, at: start) }
        #expect(state.admit(opcode: 3, at: start + .seconds(60)) == .perform(.presenceUpdate))
    }

    @Test func messagesAndHeartbeatsAreFree() {
        var state = attached()
        for _ in 0..<10_000 {
            #expect(state.admit(opcode: 100, at: start) == .perform(.messageSend))
            #expect(state.admit(opcode: 1, at: start) == .perform(.heartbeat))
        }
    }

    @Test func nothingFollowsTheClose() {
        var state = attached()
        state.closed()
        for opcode in [1, 2, 3, 100, 12] { #expect(state.admit(opcode: opcode, at: start) == .ignore) }
        #expect(state.deadline == nil)
        state.established()
        state.sessionInvalidated(at: start)
        #expect(state.isClosed)
    }
}
