import NIOConcurrencyHelpers
import Testing

@testable import FluxRealtime

/// Work that runs once at a time, and ends when it is told to.
@Suite struct SingleTaskTests {
    @Test func whoAsksWhileItRunsJoins() async {
        let single = SingleTask()
        let starts = NIOLockedValueBox(0)
        let (gate, opener) = AsyncStream.makeStream(of: Void.self)
        let first = single.begin {
            starts.withLockedValue { $0 += 1 }
            for await _ in gate {}
        }
        let second = single.begin { starts.withLockedValue { $0 += 1 } }
        #expect(first == second)
        opener.finish()
        await second.value
        let once = starts.withLockedValue { $0 }
        #expect(once == 1)
        await single.begin { starts.withLockedValue { $0 += 1 } }.value
        let twice = starts.withLockedValue { $0 }
        #expect(twice == 2)
    }

    @Test func whatWasCancelledEndsBeforeTheNextBegins() async {
        let single = SingleTask()
        let log = NIOLockedValueBox<[String]>([])
        single.begin {
            while !Task.isCancelled { await Task.yield() }
            log.withLockedValue { $0.append("ended") }
        }
        single.cancel()
        await single.begin { log.withLockedValue { $0.append("begun") } }.value
        let lines = log.withLockedValue { $0 }
        #expect(lines == ["ended", "begun"])
        await single.stop()
    }

    @Test func stoppingWaitsForTheEnd() async {
        let single = SingleTask()
        let hasEnded = NIOLockedValueBox(false)
        single.begin {
            while !Task.isCancelled { await Task.yield() }
            hasEnded.withLockedValue { $0 = true }
        }
        await single.stop()
        let isOver = hasEnded.withLockedValue { $0 }
        #expect(isOver)
    }
}
