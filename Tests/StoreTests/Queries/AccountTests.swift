import FluxCore
import Testing

@testable import FluxStore

/// Accounts and logins: unique names, and refresh tokens that can be used once (protocol 10.1).
struct AccountTests {
    private let user = Fixture.person(1, name: "ada")
    private let now = Fixture.moment

    @Test func aPersonIsFoundByNameAndByAddressInAnyCase() async throws {
        try await withDatabase { database in
            let accounts = Accounts(database)
            try await accounts.register(user, passwordHash: "hash")
            for login in ["ada", "ADA", "Person1@Example.org"] {
                let found = try #require(try await accounts.credentials(login: login))
                #expect(found.user == user && found.passwordHash == "hash")
            }
            #expect(try await accounts.credentials(login: "ad") == nil)
            try await accounts.setPassword(hash: "new", of: user.id, at: now)
            #expect(try await accounts.passwordHash(of: user.id) == "new")
            #expect(try await accounts.passwordHash(of: Fixture.id(9)) == nil)
        }
    }

    @Test func aNameIsGivenOnceAndNothingIsLeftOfTheSecond() async throws {
        try await withDatabase { database in
            let accounts = Accounts(database)
            try await accounts.register(user, passwordHash: "hash")
            var second = Fixture.person(2, name: "ada")
            let taken = await storeError { try await accounts.register(second, passwordHash: "other") }
            #expect(taken == .constraint(name: "users_username_key", sqlState: "23505"))
            second.username = "bob"
            second.email = "PERSON1@example.org"
            let address = await storeError { try await accounts.register(second, passwordHash: "other") }
            #expect(address == .constraint(name: "users_email_key", sqlState: "23505"))
            #expect(try await Users(database).find(second.id) == nil)
            #expect(try await accounts.passwordHash(of: second.id) == nil)
            // Bots may share a name, with each other and with a person.
            var bot = Fixture.bot(3)
            bot.username = "ada"
            try await database.run(.insertUser(bot))
            #expect(try await accounts.credentials(login: "ada")?.user == user)
        }
    }

    @Test func usersAreFoundInBatchesAndByTheBeginningOfTheirName() async throws {
        try await withDatabase { database in
            let users = Users(database)
            let people = (1...2_500).map { Fixture.person($0, name: "person\($0)") }
            try await Provision(database).insert(users: people)
            let found = try await users.batch(people.map(\.id) + [Fixture.id(9_999)])
            #expect(found.count == 2_500 && found[people[77].id]?.username == "person78")
            let byPrefix = try await users.search(prefix: "PERSON12", limit: 4)
            #expect(byPrefix.map(\.username) == ["person12", "person120", "person1200", "person1201"])
            #expect(try await users.search(prefix: "", limit: 4).isEmpty)
            #expect(try await users.search(prefix: "person%", limit: 4).isEmpty)
            #expect(try await users.person(named: "Person7")?.id == people[6].id)
            var changed = people[0]
            changed.username = "renamed"
            changed.bio = "new"
            changed.accentColor = nil
            try await database.run(.updateUser(changed))
            let read = try #require(try await users.find(changed.id))
            #expect(read.username == "renamed" && read.bio == "new" && read.accentColor == nil)
        }
    }

    private func begin(_ database: Database) async throws -> Logins {
        let logins = Logins(database)
        try await logins.begin(
            Fixture.id(50), userID: user.id, tokenHash: [1], expiresAt: now.adding(seconds: 1_000), at: now,
            clientInfo: "client")
        return logins
    }

    private func rotate(_ logins: Logins, _ old: UInt8, to new: UInt8, after seconds: Int64) async throws
        -> Logins.Rotation
    {
        let moment = now.adding(seconds: seconds)
        return try await logins.rotate([old], to: [new], expiresAt: moment.adding(seconds: 1_000), at: moment)
    }

    @Test func aTokenIsGoodOnceAndItsReuseEndsTheLogin() async throws {
        try await withDatabase { database in
            let logins = try await begin(database)
            let rotated = Logins.Rotation.rotated(loginID: Fixture.id(50), userID: user.id)
            #expect(try await rotate(logins, 1, to: 2, after: 1) == rotated)
            #expect(try await rotate(logins, 1, to: 3, after: 11) == .usedJustNow)
            #expect(try await rotate(logins, 3, to: 4, after: 11) == .unknown)
            #expect(try await rotate(logins, 2, to: 5, after: 12) == rotated)
            #expect(try await logins.current(of: user.id).map(\.id) == [Fixture.id(50)])
            let reused = Logins.Rotation.reused(loginID: Fixture.id(50), userID: user.id)
            #expect(try await rotate(logins, 1, to: 6, after: 13) == reused)
            // The whole family is void, the good one too.
            #expect(try await rotate(logins, 5, to: 7, after: 14) == .unknown)
            #expect(try await logins.current(of: user.id).isEmpty)
            let ended = try await logins.ended(since: now)
            #expect(ended.map(\.loginID) == [Fixture.id(50)])
            #expect(try await logins.ended(since: now.adding(seconds: 14)).isEmpty)
        }
    }

    @Test func aTokenOutOfDateOrOfAnEndedLoginIsUnknown() async throws {
        try await withDatabase { database in
            let logins = try await begin(database)
            #expect(try await rotate(logins, 1, to: 2, after: 1_000) == .unknown)
            try await logins.end([Fixture.id(50)], of: Fixture.id(2), at: now)
            #expect(try await rotate(logins, 1, to: 2, after: 5) != .unknown, "somebody else cannot end it")
            try await logins.end([Fixture.id(50)], of: user.id, at: now)
            #expect(try await rotate(logins, 2, to: 3, after: 6) == .unknown)
        }
    }

    @Test func ofManyAtOnceOneRotates() async throws {
        try await withDatabase { database in
            let logins = try await begin(database)
            let results = try await withThrowingTaskGroup(of: Logins.Rotation.self) { group in
                for number in UInt8(10)..<30 {
                    group.addTask { try await self.rotate(logins, 1, to: number, after: 1) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(results.filter { $0 == .usedJustNow }.count == 19)
            #expect(results.contains(.rotated(loginID: Fixture.id(50), userID: user.id)))
        }
    }

    @Test func secretsThatAreOutOfDateAreRemoved() async throws {
        try await withDatabase { database in
            let logins = try await begin(database)
            let maintenance = Maintenance(database)
            #expect(try await maintenance.purgeTokens(at: now.adding(seconds: 1_000)) == 0)
            #expect(try await maintenance.purgeTokens(at: now.adding(seconds: 1_001)) == 1)
            #expect(try await maintenance.purgeLogins(endedBefore: now.adding(seconds: 5)) == 0)
            try await logins.end([Fixture.id(50)], of: user.id, at: now)
            #expect(try await maintenance.purgeLogins(endedBefore: now.adding(seconds: 5)) == 1)
        }
    }

    @Test func signingKeysStayUntilTheyCheckNothing() async throws {
        try await withDatabase { database in
            let keys = SigningKeys(database)
            let old = StoredSigningKey(
                keyID: "old", privateKey: [1, 2], createdAt: now, signsFrom: now, checksUntil: now.adding(seconds: 10))
            let new = StoredSigningKey(
                keyID: "new", privateKey: [3], createdAt: now, signsFrom: now.adding(seconds: 5),
                checksUntil: now.adding(seconds: 20))
            try await keys.insert(old)
            try await keys.insert(new)
            try await keys.insert(
                StoredSigningKey(keyID: "new", privateKey: [9], createdAt: now, signsFrom: now, checksUntil: now))
            #expect(try await keys.inUse(at: now) == [new, old])
            try await keys.removeExpired(at: now.adding(seconds: 10))
            #expect(try await keys.inUse(at: now) == [new])
        }
    }

    @Test func anApplicationComesWithItsBotAndOneToken() async throws {
        try await withDatabase { database in
            let applications = Applications(database)
            let bot = Fixture.bot(40)
            var application = Application(
                id: bot.id, name: "app", description: "d", icon: "i", ownerID: user.id, isPublic: false, verifyKey: "k",
                interactionsEndpointURL: "u", createdAt: now)
            try await applications.create(application, bot: bot)
            #expect(try await applications.find(bot.id) == application)
            #expect(try await applications.token(of: bot.id) == nil)
            for hash: [UInt8] in [[1], [2]] {
                try await applications.setToken(hash: hash, of: bot.id, at: now)
                let token = try #require(try await applications.token(of: bot.id))
                #expect(token.hash == hash && token.bot == bot)
            }
            application.name = "renamed"
            application.icon = nil
            try await applications.update(application)
            #expect(try await applications.list(ownedBy: user.id) == [application])
            #expect(try await applications.list(ownedBy: bot.id).isEmpty)
            try await applications.delete(bot.id)
            #expect(try await applications.find(bot.id) == nil)
            #expect(try await applications.token(of: bot.id) == nil)
            #expect(try await Users(database).find(bot.id) == bot)
        }
    }
}
