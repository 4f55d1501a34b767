import FluxCore
import Testing

@testable import FluxStore

/// A guild as it is written statement by statement, and as its next owner loads it.
struct GuildTests {
    private let guildID = Fixture.id(600)
    private var guild: Guild { Fixture.guild(600, owner: Fixture.id(1)) }

    /// A guild with three members, two roles and two channels.
    private func make(_ database: Database) async throws {
        try await Provision(database).insert(users: (1...4).map { Fixture.person($0) })
        try await database.apply(
            .insertGuild(guild), .insertRole(Fixture.role(600, guildID: guildID, position: 0)),
            .insertRole(Fixture.role(601, guildID: guildID)),
            .insertChannel(Fixture.channel(610, guildID: guildID)),
            .insertChannel(Fixture.channel(611, guildID: guildID)),
            .putOverwrite(overwrite(601), channelID: Fixture.id(610), guildID: guildID),
            .putOverwrite(overwrite(2, .member), channelID: Fixture.id(610), guildID: guildID),
            .insertMember(Fixture.member(1, guildID: guildID)),
            .insertMember(Fixture.member(2, guildID: guildID, roles: [Fixture.id(601)])),
            .insertMember(Fixture.member(3, guildID: guildID, roles: [Fixture.id(601)])))
    }

    private func overwrite(_ target: UInt64, _ kind: Overwrite.Kind = .role) -> Overwrite {
        Overwrite(
            id: Fixture.id(target), kind: kind, allow: Permissions(rawValue: 1 << 63), deny: Permissions(rawValue: 2))
    }

    @Test func aGuildIsLoadedWhole() async throws {
        try await withDatabase { database in
            try await make(database)
            try await database.insert([Fixture.message(20, channelID: Fixture.id(610), seq: 1, epoch: 4)])
            try await database.apply(
                LaneStatements.appendLog([LoggedEntry(voidIn: Fixture.id(610), seq: 2, epoch: 5)]),
                .insertBan(
                    Ban(guildID: guildID, userID: Fixture.id(4), reason: "r", createdAt: Fixture.moment),
                    by: Fixture.id(1)),
                .insertInvite(
                    Invite(
                        code: "code", guildID: guildID, channelID: Fixture.id(610), inviterID: nil,
                        createdAt: Fixture.moment)))
            let loaded = try #require(try await GuildLoading(database).load(guildID))
            #expect(loaded.guild == guild)
            #expect(
                loaded.roles == [
                    Fixture.role(600, guildID: guildID, position: 0), Fixture.role(601, guildID: guildID),
                ])
            var first = Fixture.channel(610, guildID: guildID)
            first.overwrites = [overwrite(2, .member), overwrite(601)]
            first.lastMessageID = Fixture.id(20)
            first.lastSeq = 2
            first.epoch = 5
            #expect(loaded.channels == [first, Fixture.channel(611, guildID: guildID)])
            #expect(loaded.members.map(\.member.userID) == (1...3).map { Fixture.id($0) })
            #expect(loaded.members[1].member == Fixture.member(2, guildID: guildID, roles: [Fixture.id(601)]))
            #expect(loaded.members[1].user.username == "person2")
            #expect(loaded.inviteCount == 1 && loaded.banCount == 1)
            #expect(try await GuildLoading(database).preview(guildID)?.memberCount == 3)
        }
    }

    @Test func everyChangeIsWritten() async throws {
        try await withDatabase { database in
            try await make(database)
            var guild = guild
            guild.name = "new"
            guild.icon = nil
            guild.features = []
            var role = Fixture.role(601, guildID: guildID)
            role.name = "new"
            role.secondaryColor = nil
            role.permissions = .sendMessages
            var channel = Fixture.channel(611, guildID: guildID)
            channel.name = "new"
            channel.topic = nil
            channel.parentID = nil
            var member = Fixture.member(2, guildID: guildID, roles: [])
            member.nick = nil
            member.timedOutUntil = nil
            try await database.apply(
                .updateGuild(guild), .updateRole(role), .updateChannel(channel), .updateMember(member),
                .updateRolePositions([Fixture.id(601): 9], guildID: guildID),
                .updateChannelPositions([Fixture.id(610): 7, Fixture.id(611): 8], guildID: guildID),
                .deleteOverwrite(Fixture.id(2), channelID: Fixture.id(610), guildID: guildID))
            let loaded = try #require(try await GuildLoading(database).load(guildID))
            role.position = 9
            channel.position = 8
            #expect(loaded.guild == guild && loaded.roles[1] == role && loaded.channels[1] == channel)
            #expect(loaded.channels[0].position == 7 && loaded.channels[0].overwrites == [overwrite(601)])
            #expect(loaded.members[1].member == member)
        }
    }

    @Test func aDeletedRoleLeavesNothingBehind() async throws {
        try await withDatabase { database in
            try await make(database)
            try await database.run(.deleteRole(Fixture.id(601), guildID: guildID))
            let loaded = try #require(try await GuildLoading(database).load(guildID))
            #expect(loaded.roles.count == 1)
            #expect(loaded.members.allSatisfy { $0.member.roles.isEmpty })
            #expect(loaded.channels[0].overwrites == [overwrite(2, .member)])
            try await database.run(.deleteMember(Fixture.id(2), guildID: guildID))
            let later = try #require(try await GuildLoading(database).load(guildID))
            #expect(later.members.count == 2 && later.channels[0].overwrites.isEmpty)
        }
    }

    @Test func aDeletedChannelIsGoneAndItsChildrenStay() async throws {
        try await withDatabase { database in
            try await make(database)
            let channels = Channels(database)
            var child = Fixture.channel(612, guildID: guildID)
            child.parentID = Fixture.id(611)
            try await database.apply(.insertChannel(child), .deleteChannel(Fixture.id(611), guildID: guildID))
            #expect(try await channels.place(of: Fixture.id(611)) == nil)
            #expect(try await channels.activation(of: Fixture.id(611), noncesSince: Snowflake(0)) == nil)
            #expect(try await channels.find(child.id)?.parentID == nil)
            #expect(
                try await channels.place(of: child.id) == ChannelPlace(id: child.id, guildID: guildID, kind: .news))
        }
    }

    @Test func aDeletedGuildIsGoneAtOnceAndItsRowsLittleByLittle() async throws {
        try await withDatabase { database in
            try await make(database)
            let channelID = Fixture.id(610)
            let invite = Invite(
                code: "code", guildID: guildID, channelID: channelID, inviterID: nil, createdAt: Fixture.moment)
            try await database.insert([Fixture.message(20, channelID: channelID, seq: 1)])
            try await database.apply(.insertInvite(invite), .deleteGuild(guildID))
            #expect(try await GuildLoading(database).load(guildID) == nil)
            #expect(try await Channels(database).place(of: channelID) == nil)
            #expect(try await Memberships(database).guildIDs(of: Fixture.id(1)).isEmpty)
            #expect(try await Invites(database).find("code") == nil)
            let maintenance = Maintenance(database)
            while try await maintenance.purgeDeleted() > 0 {}
            for table in ["guilds", "channels", "roles", "members", "overwrites", "messages"] {
                let count = PreparedQuery("count.\(table)", "SELECT count(*) FROM \(table)")
                #expect(try await database.run(Statement(count)).first?.int(0) == 0, "\(table)")
            }
        }
    }

    @Test func bansAndInvites() async throws {
        try await withDatabase { database in
            try await make(database)
            let bans = Bans(database)
            for number in UInt64(1)...4 {
                let ban = Ban(
                    guildID: guildID, userID: Fixture.id(number), reason: "r\(number)", createdAt: Fixture.moment)
                try await database.run(.insertBan(ban, by: nil))
            }
            try await database.run(
                .insertBan(
                    Ban(guildID: guildID, userID: Fixture.id(1), reason: "later", createdAt: .now()), by: nil))
            #expect(try await bans.find(Fixture.id(1), guildID: guildID)?.ban.reason == "r1")
            let after = try await bans.list(guildID: guildID, after: Fixture.id(1), limit: 2)
            #expect(after.map(\.user.username) == ["person2", "person3"])
            let before = try await bans.list(guildID: guildID, before: Fixture.id(4), limit: 2)
            #expect(before.map(\.user.username) == ["person2", "person3"])
            try await database.run(.deleteBan(Fixture.id(1), guildID: guildID))
            #expect(try await bans.find(Fixture.id(1), guildID: guildID) == nil)

            let invites = Invites(database)
            let invite = Invite(
                code: "Code", guildID: guildID, channelID: Fixture.id(610), inviterID: Fixture.id(1), uses: 1,
                maxUses: 5, maxAge: 60, temporary: true, createdAt: Fixture.moment)
            try await database.apply(.insertInvite(invite), .useInvite("Code"))
            var used = invite
            used.uses = 2
            #expect(try await invites.find("Code") == used)
            #expect(try await invites.find("code") == nil)
            #expect(try await invites.list(guildID: guildID, channelID: Fixture.id(610)) == [used])
            #expect(try await invites.list(guildID: guildID, channelID: Fixture.id(611)).isEmpty)
            let taken = await storeError { try await database.run(.insertInvite(invite)) }
            #expect(taken == .constraint(name: "invites_pkey", sqlState: "23505"))
            try await database.run(.deleteInvite("Code"))
            #expect(try await invites.list(guildID: guildID).isEmpty)
        }
    }

    @Test func membershipsFromThePersonsSide() async throws {
        try await withDatabase { database in
            try await make(database)
            for number in UInt64(700)...704 {
                try await database.apply(
                    .insertGuild(Fixture.guild(number, owner: Fixture.id(1))),
                    .insertMember(Fixture.member(1, guildID: Fixture.id(number))))
            }
            let memberships = Memberships(database)
            let person = Fixture.id(1)
            #expect(try await memberships.guildIDs(of: person).count == 6)
            let after = try await memberships.guilds(of: person, after: Fixture.id(600), limit: 2)
            #expect(after.map(\.id) == [Fixture.id(700), Fixture.id(701)])
            let before = try await memberships.guilds(of: person, before: Fixture.id(704), limit: 2)
            #expect(before.map(\.id) == [Fixture.id(702), Fixture.id(703)])
            let mutual = try await memberships.mutualGuilds(person, Fixture.id(2))
            #expect(mutual.map(\.guildID) == [guildID] && mutual.first?.nick == "nick")
            #expect(try await memberships.member(Fixture.id(2), guildID: guildID)?.user.username == "person2")
            #expect(try await memberships.member(Fixture.id(4), guildID: guildID) == nil)
            let page = try await memberships.members(of: guildID, after: Fixture.id(1), limit: 5)
            #expect(page.map(\.user.username) == ["person2", "person3"])
        }
    }
}
