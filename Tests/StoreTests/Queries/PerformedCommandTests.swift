import FluxCore
import Testing

@testable import FluxStore

/// Which commands were carried out, and what they were answered (I4).
struct PerformedCommandTests {
    private func command(_ key: UInt64, at moment: Timestamp = Fixture.moment) -> PerformedCommand {
        PerformedCommand(
            targetKey: Fixture.id(1), idempotencyKey: key, performedAt: moment, status: 201,
            body: Array(#"{"a":1}"#.utf8))
    }

    @Test func aCommandIsFoundByTargetAndKey() async throws {
        try await withDatabase { database in
            let commands = PerformedCommands(database)
            for key in [1, UInt64.max] {
                try await database.apply(.insertPerformedCommand(command(key)))
                #expect(try await commands.find(key, of: Fixture.id(1)) == command(key))
            }
            #expect(try await commands.find(2, of: Fixture.id(1)) == nil)
            #expect(try await commands.find(1, of: Fixture.id(2)) == nil)
        }
    }

    @Test func whatIsDoneUnderOneKeyIsDoneOnce() async throws {
        try await withDatabase { database in
            let (ada, bob) = (Fixture.id(1), Fixture.id(2))
            try await Provision(database).insert(users: (1...2).map { Fixture.person($0) })
            try await database.apply(.setNote("once", userID: ada, about: bob), .insertPerformedCommand(command(1)))
            let error = await storeError(of: {
                try await database.apply(
                    .setNote("twice", userID: ada, about: bob), .insertPerformedCommand(command(1)))
            })
            guard case .constraint("performed_commands_pkey", _)? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(try await Relationships(database).notes(of: ada) == [bob: "once"])
        }
    }

    @Test func whatNoEdgeRepeatsAnyMoreIsForgotten() async throws {
        try await withDatabase { database in
            let now = Timestamp.now()
            let (old, young) = (now.adding(seconds: -601), now.adding(seconds: -599))
            try await database.apply(
                .insertPerformedCommand(command(1, at: old)), .insertPerformedCommand(command(2, at: young)))
            let limit = now.adding(seconds: -Maintenance.performedCommandSeconds)
            #expect(try await Maintenance(database).purgePerformedCommands(before: limit) == 1)
            #expect(try await PerformedCommands(database).find(1, of: Fixture.id(1)) == nil)
            #expect(try await PerformedCommands(database).find(2, of: Fixture.id(1)) != nil)
        }
    }
}
