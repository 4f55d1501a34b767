import FluxCluster
import FluxCore
import Testing

@testable import FluxRealtime

/// Who is there is stored nowhere: a guild whose owner died learns it from the members themselves.
@Suite struct TakenOverPresenceTests {
    @Test func aGuildLearnsWhoIsThere() async throws {
        try await TestCluster.run(nodes: 3) { cluster in
            func person(_ name: String) async throws -> Caller {
                while true {
                    let person = try await cluster.nodes[0].person("\(name)\(try cluster.nodes[0].realtime.mintID())")
                    if try cluster.owner(of: Slot(of: person.userID)) != 0 { return person }
                }
            }
            let (ada, bob) = (try await person("ada"), try await person("bob"))
            var guild = try await cluster.nodes[0].guild(of: ada)
            while try cluster.owner(of: Slot(of: guild.id)) != 0 { guild = try await cluster.nodes[0].guild(of: ada) }
            try await cluster.nodes[0].join(bob, guild, by: ada)
            let bobs = try await cluster.nodes[1].connect(bob)

            try await cluster.takeOver(from: 0, by: 2)
            // However long it takes until the relay has turned to the new owner, and that has asked.
            while true {
                let adas = try await cluster.nodes[2].connect(ada)
                let shown =
                    adas.dispatches.first?.body["guilds"]?.arrayValue?
                    .first { $0["id"]?.snowflakeValue == guild.id }?["presences"]?.arrayValue ?? []
                await adas.drop(closeCode: 1000)
                if shown.contains(where: { $0["user"]?["id"]?.snowflakeValue == bob.userID }) { break }
                try await Task.sleep(for: .milliseconds(50))
            }
            #expect(bobs.closed == nil)
        }
    }
}
