import NIOCore
import Testing

@testable import FluxGateway

@Suite struct HTTPConnectionStateTests {
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

    private func opened() -> HTTPConnectionState { HTTPConnectionState(limits: .init(), openedAt: start) }

    @Test func oneExchangeAtATime() {
        var state = opened()
        #expect(!state.isBusy)
        state.head(isLast: false, at: start)
        #expect(state.isReceiving)
        let isOver = state.requestEnd(at: start)
        #expect(!isOver)
        #expect(state.isBusy)
        let isLast = state.responseHead()
        #expect(!isLast)
        #expect(state.responseEnd(at: start) == .nextRequest)
        #expect(!state.isBusy)
    }

    @Test func aResponseMayOvertakeItsRequest() {
        var state = opened()
        state.head(isLast: false, at: start)
        _ = state.responseHead()
        #expect(state.responseEnd(at: start) == .restOfRequest)
        #expect(state.isReceiving)
        let isOver = state.requestEnd(at: start)
        #expect(isOver)
        #expect(!state.isBusy && !state.isReceiving)
    }

    @Test func theLastResponseCloses() {
        var state = opened()
        state.head(isLast: true, at: start)
        _ = state.requestEnd(at: start)
        let isLast = state.responseHead()
        #expect(isLast)
        #expect(state.responseEnd(at: start) == .close)
    }

    @Test func drainingWaitsForTheExchange() {
        var state = opened()
        #expect(opened().isFinished == false)
        state.head(isLast: false, at: start)
        let isIdle = state.finishAfterExchange()
        #expect(!isIdle)
        _ = state.requestEnd(at: start)
        #expect(state.responseEnd(at: start) == .close)
        var idle = opened()
        let canClose = idle.finishAfterExchange()
        #expect(canClose)
    }

    // MARK: Slow peers

    @Test func aHeadIsDueIn75Seconds() {
        let state = opened()
        #expect(state.expire(at: start + .seconds(74)) == .none)
        #expect(state.expire(at: start + .seconds(75)) == .close)
    }

    @Test func aBodyMustKeepComing() {
        var state = opened()
        state.head(isLast: false, at: start)
        #expect(state.expire(at: start + .seconds(29)) == .none)
        #expect(state.expire(at: start + .seconds(30)) == .requestTimeout)
        // A mebibyte buys another 1024 s; a byte now and then buys nothing.
        state.body(bytes: 1 << 20)
        #expect(state.deadline == start + .seconds(30 + 1024))
        for _ in 0..<100 { state.body(bytes: 1) }
        #expect(state.deadline == start + .seconds(30 + 1024))
        _ = state.responseHead()
        #expect(state.expire(at: start + .seconds(30 + 1024)) == .close)
    }

    @Test func aLongAnswerIsNotHurried() {
        var state = opened()
        state.head(isLast: false, at: start)
        _ = state.requestEnd(at: start)
        #expect(state.deadline == nil)
        #expect(state.expire(at: start + .hours(1)) == .none)
    }

    @Test func aPeerMustReadItsResponse() {
        var state = opened()
        state.head(isLast: false, at: start)
        _ = state.requestEnd(at: start)
        state.writability(false, at: start)
        state.writability(false, at: start + .seconds(50))
        #expect(state.expire(at: start + .seconds(60)) == .close)
        state.writability(true, at: start + .seconds(59))
        #expect(state.expire(at: start + .seconds(60)) == .none)
    }

    @Test func lingeringEnds() {
        var state = opened()
        state.lingering(at: start)
        #expect(state.isFinished)
        #expect(state.expire(at: start + .seconds(1)) == .none)
        #expect(state.expire(at: start + .seconds(2)) == .close)
        state.closed()
        #expect(state.deadline == nil)
    }
}
