import FluxCore
import Testing

@testable import FluxStore

/// Many accounts and guilds at once.
struct ProvisionTests {
    @Test func tenThousandPeopleInGuilds() async throws {
        try await withDatabase { database in
            let provision = Provision(database)
            let people = (1...10_000).map { Fixture.person($0) }
            let guildID = Fixture.id(20_000)
            let clock = ContinuousClock()
            let taken = try await clock.measure {
                try await provision.insert(users: people, passwordHash: "shared")
                try await provision.insert(
                    guilds: [Fixture.guild(20_000, owner: people[0].id)],
                    roles: [Fixture.role(20_000, guildID: guildID, position: 0)],
                    channels: [Fixture.channel(20_001, guildID: guildID)])
                try await provision.insert(
                    members: people.map { Member(userID: $0.id, guildID: guildID, joinedAt: Fixture.moment) })
            }
            print("provisioned 10,000 people in \(taken)")
            let load = try await clock.measure {
                let loaded = try #require(try await GuildLoading(database).load(guildID))
                #expect(loaded.members.count == 10_000 && loaded.channels.count == 1 && loaded.roles.count == 1)
            }
            print("loaded a guild of 10,000 in \(load)")
            let found = try #require(try await Accounts(database).credentials(login: "person77"))
            #expect(found.passwordHash == "shared" && found.user.email == "person77@example.org")
        }
    }
}
