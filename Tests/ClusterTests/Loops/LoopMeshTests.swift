import FluxCore
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import Testing

@testable import FluxCluster

@Suite struct LoopMeshTests {
    private func withMesh(
        loops: Int = 3, bound: Int = 65_536, byteBound: Int = 64 << 20, _ body: (LoopMesh) async throws -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: loops)
        try await body(LoopMesh(group: group, bound: bound, byteBound: byteBound))
        try await group.shutdownGracefully()
    }

    /// Runs work on a loop and returns what it gives.
    private func on<Value: Sendable>(
        _ index: Int, of mesh: LoopMesh, _ work: @escaping @Sendable () -> Value
    ) async -> Value {
        await withCheckedContinuation { continuation in
            mesh.post(to: index) { continuation.resume(returning: work()) }
        }
    }

    @Test func whatATurnPostsToALoopCrossesInOneHop() async throws {
        try await withMesh { mesh in
            let ran = NIOLockedValueBox(0)
            _ = await on(0, of: mesh) {}
            let before = mesh.hops
            mesh.post(to: 0) {
                for _ in 0..<10_000 {
                    mesh.post(to: 1) { ran.withLockedValue { $0 += 1 } }
                    mesh.post(to: 2) { ran.withLockedValue { $0 += 1 } }
                }
            }
            try await eventually("all has run") { ran.withLockedValue { $0 } == 20_000 }
            // One from this thread to loop 0, one to each of the others.
            #expect(mesh.hops - before == 3)
        }
    }

    @Test func orderIsKeptPerSource() async throws {
        try await withMesh { mesh in
            let seen = NIOLockedValueBox<[[Int]]>([[], [], [], []])
            for source in 0..<3 {
                mesh.post(to: source) {
                    for value in 0..<1_000 {
                        mesh.post(to: 1) { seen.withLockedValue { $0[source].append(value) } }
                        if value % 100 == 0 {
                            mesh.atEndOfTurn { mesh.post(to: 1) {} }
                        }
                    }
                }
            }
            for value in 0..<1_000 {
                mesh.post(to: 1) { seen.withLockedValue { $0[3].append(value) } }
            }
            try await eventually("all has run") { seen.withLockedValue { $0.allSatisfy { $0.count == 1_000 } } }
            #expect(seen.withLockedValue { $0 } == Array(repeating: Array(0..<1_000), count: 4))
        }
    }

    @Test func aForeignThreadsPostsAreBatched() async throws {
        try await withMesh { mesh in
            let ran = NIOLockedValueBox(0)
            let before = mesh.hops
            let isBlocked = NIOLockedValueBox(true)
            // Until the loop is free, everything gathers.
            mesh.post(to: 0) {
                while isBlocked.withLockedValue({ $0 }) {}
            }
            try await eventually("the loop is busy") { mesh.backlog(of: 0) == 1 && mesh.hops == before + 1 }
            for _ in 0..<1_000 {
                mesh.post(to: 0) { ran.withLockedValue { $0 += 1 } }
            }
            isBlocked.withLockedValue { $0 = false }
            try await eventually("all has run") { ran.withLockedValue { $0 } == 1_000 }
            #expect(mesh.hops == before + 2)
        }
    }

    @Test func postedWorkNeverRunsInsidePost() async throws {
        try await withMesh { mesh in
            let order = await withCheckedContinuation { (continuation: CheckedContinuation<[String], Never>) in
                let order = NIOLockedValueBox<[String]>([])
                mesh.post(to: 0) {
                    mesh.post(to: 0) {
                        order.withLockedValue { $0.append("posted") }
                        continuation.resume(returning: order.withLockedValue { $0 })
                    }
                    order.withLockedValue { $0.append("after post") }
                }
            }
            #expect(order == ["after post", "posted"])
        }
    }

    @Test func theEndOfATurnHasItsOrder() async throws {
        try await withMesh(loops: 2) { mesh in
            let order = NIOLockedValueBox<[String]>([])
            @Sendable func note(_ what: String) { order.withLockedValue { $0.append(what) } }
            _ = await on(0, of: mesh) {
                mesh.atEndOfTurn(.flush) {
                    // The other loop has what was posted before the flush began: it answers although this loop never
                    // gets to another turn.
                    while !order.withLockedValue({ $0.contains("elsewhere") }) {}
                    note("flush")
                }
                mesh.atEndOfTurn(.relay) {
                    note("relay")
                    mesh.post(to: 1) { note("elsewhere") }
                }
                mesh.post(to: 0) {
                    note("local")
                    mesh.post(to: 0) { note("local of local") }
                }
            }
            try await eventually("the turn ends") { order.withLockedValue { $0.contains("flush") } }
            #expect(order.withLockedValue { $0 } == ["local", "local of local", "relay", "elsewhere", "flush"])
        }
    }

    @Test func aHookRunsOnce() async throws {
        try await withMesh { mesh in
            let runs = NIOLockedValueBox(0)
            _ = await on(0, of: mesh) { mesh.atEndOfTurn { runs.withLockedValue { $0 += 1 } } }
            for _ in 0..<20 { _ = await on(0, of: mesh) { mesh.atEndOfTurn {} } }
            #expect(runs.withLockedValue { $0 } == 1)
        }
    }

    @Test func anOfferIsRefusedAtTheBoundAndAPostIsNot() async throws {
        try await withMesh(loops: 2, bound: 100) { mesh in
            let ran = NIOLockedValueBox(0)
            let accepted = await on(0, of: mesh) {
                (0..<150).count { _ in mesh.offer(to: 1) { ran.withLockedValue { $0 += 1 } } }
            }
            let acceptedAtHome = await on(0, of: mesh) {
                (0..<150).count { _ in mesh.offer(to: 0) { ran.withLockedValue { $0 += 1 } } }
            }
            #expect(accepted == 100)
            // The work that offers is itself not done yet.
            #expect(acceptedAtHome == 99)
            #expect(mesh.refusals == 101)
            _ = await on(0, of: mesh) {
                for _ in 0..<150 { mesh.post(to: 1) { ran.withLockedValue { $0 += 1 } } }
            }
            try await eventually("all has run") { ran.withLockedValue { $0 } == 349 }
            try await eventually("nothing waits") { mesh.backlog(of: 1) == 0 }
        }
    }

    @Test func bytesOfFramesCountUntilTheirWorkIsDone() async throws {
        try await withMesh(loops: 2, byteBound: 1_000) { mesh in
            let isBlocked = NIOLockedValueBox(true)
            let ran = NIOLockedValueBox(0)
            defer { isBlocked.withLockedValue { $0 = false } }
            _ = await on(0, of: mesh) {
                mesh.carrying(600) {
                    mesh.post(to: 1) { while isBlocked.withLockedValue({ $0 }) {} }
                    // What the own loop has to do keeps it from reading more.
                    mesh.post(to: 0) { ran.withLockedValue { $0 += 1 } }
                }
                // Not of a frame.
                mesh.post(to: 1) { ran.withLockedValue { $0 += 1 } }
            }
            try await eventually("it is handed over") { mesh.byteBacklog(of: 1) == 600 }
            #expect(mesh.byteBacklog(of: 0) == 0)
            #expect(!mesh.isCongested)
            _ = await on(0, of: mesh) {
                for _ in 0..<3 { mesh.carrying(300) { mesh.post(to: 1) { ran.withLockedValue { $0 += 1 } } } }
            }
            try await eventually("the bytes of all frames wait") { mesh.byteBacklog(of: 1) == 1_500 }
            #expect(mesh.isCongested)
            isBlocked.withLockedValue { $0 = false }
            try await eventually("nothing waits") { mesh.byteBacklog(of: 1) == 0 && !mesh.isCongested }
            try await eventually("all has run") { ran.withLockedValue { $0 } == 5 }
            // A frame that cannot be read carries nothing on.
            _ = await on(0, of: mesh) {
                do throws(WireError) {
                    try mesh.carrying(2_000) { () throws(WireError) in throw .truncated }
                } catch {
                    mesh.post(to: 1) { ran.withLockedValue { $0 += 1 } }
                }
            }
            try await eventually("it runs") { ran.withLockedValue { $0 } == 6 }
            #expect(mesh.byteBacklog(of: 1) == 0)
        }
    }

    @Test func loopsKnowThemselves() async throws {
        try await withMesh { mesh in
            #expect(mesh.currentIndex == nil)
            for index in 0..<3 {
                #expect(await on(index, of: mesh) { mesh.currentIndex } == index)
            }
            let other = MultiThreadedEventLoopGroup(numberOfThreads: 1)
            let otherMesh = LoopMesh(group: other)
            #expect(await on(0, of: otherMesh) { mesh.currentIndex } == nil)
            try await other.shutdownGracefully()
        }
    }

    @Test func slotsAreSpreadEvenly() async throws {
        try await withMesh { mesh in
            var counts = [0, 0, 0]
            for slot in Slot.all { counts[mesh.index(of: slot)] += 1 }
            #expect(counts.allSatisfy { $0 >= 341 })
        }
    }

    @Test func aTaskThatPrefersALoopStaysThere() async throws {
        try await withMesh { mesh in
            let executor = mesh.executors[1]
            let stays = await Task(executorPreference: executor) {
                for _ in 0..<10 {
                    guard mesh.currentIndex == 1 else { return false }
                    await Task.yield()
                }
                return mesh.currentIndex == 1
            }.value
            #expect(stays)
        }
    }

    @Test func plainLoopCodeIsIsolatedToTheActorsOfItsLoop() async throws {
        /// An actor of one loop.
        actor Resident {
            nonisolated let executor: LoopExecutor
            nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
            var count = 0
            init(executor: LoopExecutor) { self.executor = executor }
        }
        try await withMesh { mesh in
            let resident = Resident(executor: mesh.executors[2])
            let count = try await mesh.executors[2].eventLoop.submit {
                resident.assumeIsolated { resident in
                    resident.count += 1
                    return resident.count
                }
            }.get()
            #expect(count == 1)
            #expect(await resident.count == 1)
            #expect(mesh.executors[2].isIsolatingCurrentContext() == false)
        }
    }
}
