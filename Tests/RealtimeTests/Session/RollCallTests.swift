import FluxCluster
import FluxCore
import Testing

@testable import FluxRealtime

/// Nobody is shown online by a session that is not there.
@Suite struct RollCallTests {
    /// A watcher at the first node, which owns everything they and a friend on the second node are in.
    private struct Scene {
        let watcher: TestClient
        let friend: Caller
        let session: TestClient

        init(in cluster: TestCluster) async throws {
            let (first, second) = (cluster.nodes[0], cluster.nodes[1])
            let watcher = try await Self.person("watcher", in: cluster)
            friend = try await Self.person("friend", in: cluster)
            try await first.befriend(watcher, friend)
            self.watcher = try await first.connect(watcher)
            session = try await second.connect(friend)
            await until("online", times: 1)
        }

        /// A person whose User actor lives on the first node.
        private static func person(_ name: String, in cluster: TestCluster) async throws -> Caller {
            var number = 0
            while true {
                number += 1
                let person = try await cluster.nodes[0].person("\(name)\(number)")
                if try cluster.owner(of: Slot(of: person.userID)) == 0 { return person }
            }
        }

        /// Waits until the watcher was shown the friend so for the nth time.
        func until(_ status: String, times: Int) async {
            await watcher.until { [friend] dispatches, _, _ in
                dispatches.count {
                    $0.kind == .presenceUpdate && $0.body["user"]?["id"]?.snowflakeValue == friend.userID
                        && $0.body["status"]?.stringValue == status
                } == times
            }
        }
    }

    @Test func theSessionsOfADeadNodeCountNoMoreUntilItIsBack() async throws {
        try await TestCluster.run(nodes: 2) { cluster in
            let scene = try await Scene(in: cluster)
            let (first, second) = (cluster.nodes[0], cluster.nodes[1])
            cluster.network.cut(first.id, second.id)
            first.realtime.services.setMembers([first.id: .alive, second.id: .dead])
            await scene.until("offline", times: 1)

            // It was not dead after all, and neither was the session.
            first.realtime.services.setMembers([first.id: .alive, second.id: .alive])
            cluster.network.heal(first.id, second.id)
            await scene.until("online", times: 2)
            #expect(scene.session.closed == nil)
            await scene.session.drop(closeCode: 1000)
            await scene.until("offline", times: 2)
        }
    }

    @Test(arguments: [0, 1]) func aNodeThatWasStartedAgainDoesNotHaveThem(loop: Int) async throws {
        try await TestCluster.run(nodes: 2) { cluster in
            let scene = try await Scene(in: cluster)
            let (first, second) = (cluster.nodes[0], cluster.nodes[1])
            let other = try await second.connect(scene.friend, loop: loop)
            // What a new process has: no session, and nobody who says so.
            let key = try #require(SessionKey(scene.session.sessionID))
            await withCheckedContinuation { continuation in
                second.realtime.services.run(on: 0) { loop in
                    if let session = loop.sessions[key] { loop.sessions.drop(session) }
                    continuation.resume()
                }
            }
            cluster.network.cut(first.id, second.id)
            cluster.network.heal(first.id, second.id)
            // The other session of the same person is still there.
            await other.drop(closeCode: 1000)
            await scene.until("offline", times: 1)
        }
    }
}
