import FluxCore
import FluxStore
import Testing

@testable import FluxRealtime

/// What commands answer, change and tell, and which bodies they refuse.
@Suite struct GuildCommandsTests {
    @Test func aGuildIsFoundedWithAChannelAndItsRole() throws {
        var counter: UInt64 = 100
        let planning = GuildPlanning(
            now: Timestamp(milliseconds: 1_780_000_000_000), users: [UserID(1): User(id: UserID(1), username: "o")],
            mint: { () throws(APIError) -> Snowflake in
                counter += 1
                return Snowflake(counter)
            })
        let command = GuildCommand(
            caller: Caller(userID: UserID(1), isBot: false), operation: .create, body: ["name": " my guild "])
        let plan = try GuildState.found(GuildID(50), command, planning)
        #expect(plan.reply.status == 201)
        #expect(plan.usersConcerned(among: []) == [UserID(1)])
        guard case .guildCreated(let founding)? = plan.changes.first else { throw APIError.unknownGuild }
        #expect(founding.guild.name == "my guild")
        #expect(founding.everyone.id == GuildID(50))
        #expect(founding.channels.map(\.name) == ["general"])
        #expect(founding.statements.count == 4)
        #expect(throws: APIError.self) {
            try GuildState.found(
                GuildID(50), GuildCommand(caller: command.caller, operation: .create, body: ["name": "  "]), planning)
        }
    }

    @Test(
        arguments: [
            (.createChannel, [:]), (.createChannel, ["name": ""]), (.createChannel, ["name": "x", "type": 1]),
            (.createChannel, ["name": "x", "parent_id": JSON(GuildWorld.general)]),
            (.createChannel, ["name": "x", "type": 4, "parent_id": JSON(GuildWorld.category)]),
            (.createChannel, ["name": "x", "rate_limit_per_user": 21_601]),
            (.createChannel, ["name": "x", "permission_overwrites": [["id": "77", "type": 0]]]),
            (.createChannel, ["name": "x", "topic": 5]), (.update, ["name": nil, "system_channel_id": "5"]),
            (.update, ["icon": "data:image/png;base64,xx"]), (.update, ["verification_level": 9]),
            (.createRole, ["color": 0x100_0000]), (.createRole, ["name": 5]), (.createRole, ["permissions": "x"]),
            (.reorderRoles, [:]), (.reorderRoles, [["id": "77", "position": 1]]), (.reorderChannels, [["id": "77"]]),
            (.updateMember(GuildWorld.plain), ["roles": ["77"]]),
            (.updateMember(GuildWorld.plain), ["roles": [JSON(GuildWorld.guildID)]]),
            (.updateMember(GuildWorld.plain), ["nick": .string(String(repeating: "x", count: 33))]),
            (.ban(GuildWorld.plain), ["delete_message_seconds": 604_801]),
            (.createInvite(GuildWorld.general, code: "c"), ["max_age": 604_801]),
            (.setOverwrite(GuildWorld.general, target: GuildWorld.plain), ["type": 7]), (.createRole, [1]),
        ] as [(GuildOperation, JSON)])
    func refusesWrongForms(operation: GuildOperation, body: JSON) {
        var world = GuildWorld()
        #expect(world.refusal(operation, body) == 50035)
        world.checkInvariants()
    }

    @Test func unknownThingsAreToldApart() {
        var world = GuildWorld()
        #expect(world.refusal(.member(GuildWorld.stranger)) == 10007)
        #expect(world.refusal(.updateMember(GuildWorld.stranger)) == 10007)
        #expect(world.refusal(.kick(GuildWorld.stranger)) == 10007)
        #expect(world.refusal(.ban(UserID(999))) == 10013)
        #expect(world.refusal(.unban(GuildWorld.stranger)) == 10026)
        #expect(world.refusal(.addRole(GuildWorld.plain, RoleID(5))) == 10011)
        #expect(world.refusal(.addRole(GuildWorld.plain, GuildWorld.guildID)) == 10011)
        #expect(world.refusal(.deleteRole(RoleID(5))) == 10011)
        #expect(world.refusal(.deleteChannel(ChannelID(5))) == 10003)
        #expect(world.refusal(.deleteOverwrite(GuildWorld.general, target: GuildWorld.plain)) == 10009)
        #expect(world.refusal(.setOverwrite(GuildWorld.general, target: Snowflake(5)), ["type": 0]) == 10011)
        #expect(world.refusal(.setOverwrite(GuildWorld.general, target: Snowflake(5)), ["type": 1]) == 10007)
        #expect(world.refusal(.invite(code: "nope", withCounts: false)) == 10006)
        #expect(world.refusal(.addBot(GuildWorld.stranger, permissions: [])) == 10002)
    }

    @Test func rolesKeepADenseOrder() throws {
        var world = GuildWorld()
        let created = try world.perform(
            .createRole, ["name": "new", "colors": ["primary_color": 5, "secondary_color": 6]])
        #expect(try created.json()["position"] == 1)
        #expect(try created.json()["color"] == 5)
        #expect(created.kinds == [.guildRoleCreate, .guildRoleUpdate, .guildRoleUpdate, .guildRoleUpdate])
        world.checkInvariants()
        let id = try #require(try created.json()["id"]?.snowflakeValue)
        _ = try world.perform(.reorderRoles, [["id": JSON(id), "position": 4]])
        #expect(world.state.orderedRoles.map(\.id).last == id)
        world.checkInvariants()
        _ = try world.perform(.reorderRoles, [["id": JSON(id), "position": 2]])
        #expect(world.state.roles[id]?.position == 2)
        _ = try world.perform(.deleteRole(GuildWorld.mod))
        world.checkInvariants()
        #expect(world.refusal(.reorderRoles, by: GuildWorld.moderator, [["id": JSON(id), "position": 3]]) == 50013)
    }

    @Test func aModeratorMovesOnlyWhatIsBelow() throws {
        var world = GuildWorld()
        let id = try #require(
            try world.perform(.createRole, by: GuildWorld.moderator, ["name": "a"]).json()["id"]?.snowflakeValue)
        // low is at 2, mod at 3 now.
        #expect(world.refusal(.reorderRoles, by: GuildWorld.moderator, [["id": JSON(id), "position": 2]]) == nil)
        #expect(world.refusal(.reorderRoles, by: GuildWorld.moderator, [["id": JSON(id), "position": 3]]) == 50013)
        #expect(
            world.refusal(.reorderRoles, by: GuildWorld.moderator, [["id": JSON(GuildWorld.mod), "position": 1]])
                == 50013)
        world.checkInvariants()
    }

    @Test func nullGivesARoleItsDefaults() throws {
        var world = GuildWorld()
        _ = try world.perform(.updateRole(GuildWorld.low), ["color": 7, "hoist": true, "name": "named"])
        let reset = try world.perform(.updateRole(GuildWorld.low), ["color": nil, "hoist": nil, "name": nil])
        #expect(try reset.json()["color"] == 0)
        #expect(try reset.json()["hoist"] == false)
        #expect(try reset.json()["name"] == "new role")
    }

    @Test func invitesLetInUntilTheyAreSpent() throws {
        var world = GuildWorld()
        let made = try world.perform(.createInvite(GuildWorld.general, code: "abc"), ["max_uses": 2, "unique": true])
        #expect(made.kinds == [.inviteCreate])
        #expect(made.events.first?.audience == .users([GuildWorld.owner, GuildWorld.moderator]))
        #expect(try made.json()["uses"] == 0)
        let joined = try world.perform(.acceptInvite(code: "abc"), by: GuildWorld.stranger)
        #expect(joined.kinds == [.guildMemberAdd])
        #expect(joined.plan.usersConcerned(among: []) == [GuildWorld.stranger])
        #expect(try joined.json()["uses"] == nil)
        // A member who comes again uses nothing up.
        #expect(try world.perform(.acceptInvite(code: "abc"), by: GuildWorld.stranger).plan.changes.isEmpty)
        world.users[UserID(10)] = User(id: UserID(10), username: "ten")
        #expect(
            try world.perform(.acceptInvite(code: "abc"), by: UserID(10)).kinds == [.guildMemberAdd, .inviteDelete])
        #expect(world.refusal(.invite(code: "abc", withCounts: true)) == 10006)
        world.checkInvariants()
    }

    @Test func invitesExpireAndKeepOutTheBannedAndBots() throws {
        var world = GuildWorld()
        _ = try world.perform(.createInvite(GuildWorld.general, code: "abc"), ["max_age": 60])
        #expect(
            try world.perform(.createInvite(GuildWorld.general, code: "xyz"), ["max_age": 60]).json()["code"] == "abc")
        _ = try world.perform(.ban(GuildWorld.stranger), reason: "spam")
        #expect(world.refusal(.acceptInvite(code: "abc"), by: GuildWorld.stranger) == 40007)
        #expect(try world.perform(.getBan(GuildWorld.stranger)).json()["reason"] == "spam")
        _ = try world.perform(.unban(GuildWorld.stranger))
        #expect(
            try world.perform(.invite(code: "abc", withCounts: true), by: UserID(0)).json()["approximate_member_count"]
                == 4)
        world.now = world.now.adding(seconds: 61)
        #expect(world.refusal(.acceptInvite(code: "abc"), by: GuildWorld.stranger) == 10006)
        // What has expired makes room for what is new.
        #expect(
            try world.perform(.createInvite(GuildWorld.general, code: "new")).kinds == [.inviteDelete, .inviteCreate])
        #expect(world.state.invites.keys.sorted() == ["new"])
    }

    @Test func aBanCarriesThePurgeAndIsDoneOnce() throws {
        var world = GuildWorld()
        let banned = try world.perform(.ban(GuildWorld.plain), ["delete_message_seconds": 3600])
        #expect(banned.plan.purge?.since == world.now.adding(seconds: -3600))
        #expect(banned.plan.purge?.until == world.now)
        #expect(banned.plan.usersConcerned(among: []) == [GuildWorld.plain])
        #expect(try world.perform(.ban(GuildWorld.plain)).plan.changes.isEmpty)
        #expect(try world.perform(.listBans(before: nil, after: nil, limit: 10)).json().arrayValue?.count == 1)
        #expect(try world.perform(.listBans(before: nil, after: GuildWorld.plain, limit: 10)).json() == [])
    }

    @Test func aDeletedCategoryFreesItsChildrenAndTheGuildForgetsAChannel() throws {
        var world = GuildWorld()
        let child = try world.perform(.createChannel, ["name": "c", "parent_id": JSON(GuildWorld.category)])
        let id = try #require(try child.json()["id"]?.snowflakeValue)
        _ = try world.perform(.update, ["system_channel_id": JSON(id)])
        #expect(try world.perform(.deleteChannel(GuildWorld.category)).kinds.contains(.channelUpdate))
        #expect(world.state.channels[id]?.parentID == nil)
        world.checkInvariants()
        #expect(try world.perform(.deleteChannel(id)).kinds.contains(.guildUpdate))
        #expect(world.state.guild.systemChannelID == nil)
    }

    @Test func aChannelBeginsWithTheOverwritesOfItsCategory() throws {
        var world = GuildWorld()
        _ = try world.perform(
            .setOverwrite(GuildWorld.category, target: GuildWorld.guildID), ["type": 0, "deny": "1024"])
        let made = try world.perform(
            .createChannel, ["name": "c", "parent_id": JSON(GuildWorld.category), "permission_overwrites": []])
        #expect(try made.json()["permission_overwrites"]?.arrayValue?.count == 1)
    }

    @Test func limitsHold() throws {
        var world = GuildWorld()
        while world.state.roles.count < GuildLimits.roles { _ = try world.perform(.createRole) }
        #expect(world.refusal(.createRole) == 30005)
        while world.state.channels.count < GuildLimits.channels { _ = try world.perform(.createChannel, ["name": "x"]) }
        #expect(world.refusal(.createChannel, ["name": "x"]) == 30013)
    }

    @Test func theOpeningHoldsWhatTheMemberMaySee() throws {
        var world = GuildWorld()
        _ = world.state.apply(Presence(userID: GuildWorld.plain, status: .idle))
        let opening = try world.opening(for: GuildWorld.plain, largeThreshold: 50, wantsPresences: true)
        let json = try JSON.parse(opening.body)
        #expect(json["channels"]?.arrayValue?.compactMap { $0["name"]?.stringValue } == ["general", "category"])
        #expect(json["members"]?.arrayValue?.count == 4)
        #expect(json["presences"]?.arrayValue?.count == 1)
        #expect(json["large"] == false)
        #expect(json["unavailable"] == nil)
        for key in ["threads", "voice_states", "stage_instances", "guild_scheduled_events", "soundboard_sounds"] {
            #expect(json[key] == [])
        }
        #expect(opening.visibility.channels == [GuildWorld.general, GuildWorld.category])
        let none = world.state.opening(for: GuildWorld.stranger, largeThreshold: 50, wantsPresences: false)
        #expect(none?.body == nil)
        let large = try world.opening(for: GuildWorld.bot, largeThreshold: 3, wantsPresences: false)
        let shown = try JSON.parse(large.body)
        #expect(shown["large"] == true)
        #expect(shown["members"]?.arrayValue?.compactMap { $0["user"]?["id"] } == ["4"])
        #expect(shown["presences"] == [])
        // The parts that are kept follow what changes.
        _ = try world.perform(.updateChannel(GuildWorld.general), ["topic": "fresh"])
        _ = try world.perform(.updateOwnMember, by: GuildWorld.plain, ["nick": "nicked"])
        world.state.advance(GuildWorld.general, lastMessageID: MessageID(77), lastSequence: 5, epoch: 2)
        let again = try JSON.parse(
            world.opening(for: GuildWorld.plain, largeThreshold: 50, wantsPresences: false).body)
        #expect(again["channels"]?.arrayValue?.first?["topic"] == "fresh")
        #expect(again["channels"]?.arrayValue?.first?["last_seq"] == 5)
        #expect(again["members"]?.arrayValue?.contains { $0["nick"] == "nicked" } == true)
    }

    @Test func membersAreFoundAndComeInChunks() throws {
        var world = GuildWorld()
        _ = try world.perform(.updateOwnMember, by: GuildWorld.bot, ["nick": "Paulchen"])
        #expect(world.state.search("PAUL", limit: 10) == [GuildWorld.plain, GuildWorld.bot])
        #expect(world.state.search("PAUL", limit: 1) == [GuildWorld.plain])
        #expect(world.state.search("aul", limit: 10) == [])
        let ids = try world.perform(.listMembers(after: GuildWorld.owner, limit: 2)).json().arrayValue
        #expect(ids?.compactMap { $0["user"]?["id"] } == ["2", "3"])
        let request = try #require(
            MemberRequest(json: [
                "guild_id": "1000", "user_ids": ["3", "77"], "limit": 0, "nonce": "n", "presences": true,
            ]))
        let chunks = try world.state.chunks(for: request).map { try JSON.parse($0) }
        #expect(chunks.count == 1)
        #expect(chunks[0]["not_found"] == ["77"])
        #expect(chunks[0]["nonce"] == "n")
        #expect(chunks[0]["members"]?.arrayValue?.count == 1)
        let nobody = try #require(MemberRequest(json: ["guild_id": "1000", "query": "zzz", "limit": 5]))
        #expect(world.state.chunks(for: nobody).count == 1)
    }

    @Test func anAccountThatChangedIsTold() throws {
        var world = GuildWorld()
        var user = try #require(world.users[GuildWorld.plain])
        user.globalName = "Paula P."
        #expect(world.state.apply([.userChanged(user)], at: world.now).map(\.kind) == [.guildMemberUpdate])
        #expect(world.state.members[GuildWorld.plain]?.user == user)
    }

    @Test func everyOperationCrossesBetweenNodes() throws {
        let operations: [GuildOperation] = [
            .create, .get(withCounts: true), .summary(withCounts: false), .update, .delete, .leave, .listChannels,
            .channel(Snowflake(1)), .createChannel, .reorderChannels, .updateChannel(Snowflake(2)),
            .deleteChannel(Snowflake(3)), .setOverwrite(Snowflake(4), target: Snowflake(5)),
            .deleteOverwrite(Snowflake(4), target: Snowflake(5)), .member(Snowflake(6)),
            .listMembers(after: nil, limit: 3), .searchMembers(query: "ä", limit: 4), .updateMember(Snowflake(7)),
            .updateOwnMember, .addRole(Snowflake(8), Snowflake(9)), .removeRole(Snowflake(8), Snowflake(9)),
            .kick(Snowflake(1)), .listBans(before: Snowflake(1), after: nil, limit: 2), .getBan(Snowflake(1)),
            .ban(Snowflake(2)), .unban(Snowflake(3)), .listRoles, .createRole, .updateRole(Snowflake(4)), .reorderRoles,
            .deleteRole(Snowflake(5)), .createInvite(Snowflake(6), code: "c"), .invite(code: "d", withCounts: true),
            .acceptInvite(code: "e"), .deleteInvite(code: "f"), .listInvites(nil),
            .addBot(Snowflake(7), permissions: [.kickMembers]),
        ]
        for operation in operations {
            let command = GuildCommand(
                caller: Caller(userID: UserID(5), isBot: true), reason: "why", idempotencyKey: .max,
                operation: operation,
                body: ["a": [1, nil, "x"]])
            #expect(try GuildCommand(decoding: command.encoded()) == command, "\(operation)")
        }
    }
}
