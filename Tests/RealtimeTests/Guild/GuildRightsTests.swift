import FluxCore
import Testing

@testable import FluxRealtime

/// Who may do what: each row tries to do what the rules of protocol 4 forbid, and what they allow.
@Suite struct GuildRightsTests {
    @Test(
        arguments: [
            .update, .createChannel, .reorderChannels, .updateChannel(GuildWorld.general),
            .deleteChannel(GuildWorld.general), .setOverwrite(GuildWorld.general, target: GuildWorld.low),
            .deleteOverwrite(GuildWorld.general, target: GuildWorld.low), .createRole, .updateRole(GuildWorld.low),
            .reorderRoles, .deleteRole(GuildWorld.low), .addRole(GuildWorld.plain, GuildWorld.low),
            .removeRole(GuildWorld.plain, GuildWorld.low), .kick(GuildWorld.bot), .ban(GuildWorld.bot),
            .unban(GuildWorld.bot), .getBan(GuildWorld.bot), .listBans(before: nil, after: nil, limit: 10),
            .listInvites(nil), .addBot(UserID(5), permissions: []), .delete,
        ] as [GuildOperation])
    func aPlainMemberMayNot(operation: GuildOperation) {
        var world = GuildWorld()
        // A body without sense shows that rights are looked at before the form.
        #expect(world.refusal(operation, by: GuildWorld.plain, ["name": 5, "nick": 5]) == 50013)
        #expect(world.refusal(operation, by: GuildWorld.stranger) == 50001)
    }

    @Test func rolesAtOrAboveOnesOwnAreOutOfReach() {
        var world = GuildWorld()
        let moderator = GuildWorld.moderator
        for role in [GuildWorld.mod, GuildWorld.high] {
            #expect(world.refusal(.updateRole(role), by: moderator, ["name": "x"]) == 50013)
            #expect(world.refusal(.deleteRole(role), by: moderator) == 50013)
            #expect(world.refusal(.addRole(GuildWorld.plain, role), by: moderator) == 50013)
            #expect(
                world.refusal(.updateMember(GuildWorld.plain), by: moderator, ["roles": [JSON(role)]]) == 50013)
        }
        #expect(world.refusal(.addRole(GuildWorld.plain, GuildWorld.low), by: moderator) == nil)
        #expect(world.refusal(.updateRole(GuildWorld.low), by: moderator, ["name": "x"]) == nil)
        #expect(world.refusal(.deleteRole(GuildWorld.low), by: moderator) == nil)
        world.checkInvariants()
    }

    @Test func nobodyGrantsWhatTheyLack() {
        var world = GuildWorld()
        let moderator = GuildWorld.moderator
        let lacked = JSON.string(Permissions.muteMembers.description)
        let held = JSON.string(Permissions.kickMembers.description)
        #expect(world.refusal(.createRole, by: moderator, ["permissions": lacked]) == 50013)
        #expect(world.refusal(.createRole, by: moderator, ["permissions": held]) == nil)
        #expect(world.refusal(.updateRole(GuildWorld.low), by: moderator, ["permissions": lacked]) == 50013)
        #expect(world.refusal(.updateRole(GuildWorld.low), by: moderator, ["permissions": 8]) == 50013)
        let overwrite = GuildOperation.setOverwrite(GuildWorld.general, target: GuildWorld.plain)
        #expect(world.refusal(overwrite, by: moderator, ["type": 1, "allow": lacked, "deny": "0"]) == 50013)
        #expect(world.refusal(overwrite, by: moderator, ["type": 1, "allow": held, "deny": "0"]) == nil)
        // Taking a denial away is granting, too.
        #expect(world.refusal(overwrite, ["type": 1, "allow": "0", "deny": lacked]) == nil)
        #expect(world.refusal(overwrite, by: moderator, ["type": 1, "allow": "0", "deny": "0"]) == 50013)
        #expect(
            world.refusal(.deleteOverwrite(GuildWorld.general, target: GuildWorld.plain), by: moderator) == 50013)
        #expect(
            world.refusal(
                .createChannel, by: moderator,
                ["name": "x", "permission_overwrites": [["id": "3", "type": 1, "allow": lacked, "deny": "0"]]]) == 50013
        )
        #expect(world.refusal(.createRole, ["permissions": lacked]) == nil)
        world.checkInvariants()
    }

    @Test func membersAtOrAboveAndTheOwnerAreOutOfReach() throws {
        var world = GuildWorld()
        _ = try world.perform(.addRole(GuildWorld.plain, GuildWorld.high))
        for target in [GuildWorld.plain, GuildWorld.owner, GuildWorld.moderator] {
            #expect(world.refusal(.kick(target), by: GuildWorld.moderator) == 50013)
            #expect(world.refusal(.ban(target), by: GuildWorld.moderator) == 50013)
            #expect(
                world.refusal(
                    .updateMember(target), by: GuildWorld.moderator,
                    ["communication_disabled_until": "2030-01-01T00:00:00Z"])
                    == 50013)
        }
        #expect(world.refusal(.updateMember(GuildWorld.plain), by: GuildWorld.moderator, ["nick": "x"]) == 50013)
        #expect(world.refusal(.kick(GuildWorld.owner)) == 50013)
        #expect(world.refusal(.kick(GuildWorld.bot), by: GuildWorld.moderator) == nil)
        #expect(world.refusal(.leave) == 50013)
    }

    @Test func nicknamesOfOneselfAndOfOthersNeedDifferentRights() throws {
        var world = GuildWorld()
        #expect(world.refusal(.updateOwnMember, by: GuildWorld.plain, ["nick": "p"]) == nil)
        #expect(world.refusal(.updateMember(GuildWorld.plain), by: GuildWorld.plain, ["nick": "q"]) == nil)
        #expect(world.refusal(.updateMember(GuildWorld.bot), by: GuildWorld.plain, ["nick": "q"]) == 50013)
        _ = try world.perform(.updateRole(GuildWorld.guildID), ["permissions": "0"])
        #expect(world.refusal(.updateOwnMember, by: GuildWorld.plain, ["nick": "p"]) == 50013)
    }

    @Test func onlyTheOwnerGivesTheGuildAway() throws {
        var world = GuildWorld()
        #expect(world.refusal(.update, by: GuildWorld.moderator, ["owner_id": "2"]) == 50013)
        #expect(world.refusal(.update, ["owner_id": "9"]) == 50035)
        #expect(world.refusal(.update, ["owner_id": "4"]) == 50035)
        _ = try world.perform(.update, ["owner_id": "3"])
        #expect(world.state.guild.ownerID == GuildWorld.plain)
        world.checkInvariants()
        #expect(world.refusal(.delete) == 50013)
        #expect(world.refusal(.delete, by: GuildWorld.plain) == nil)
        #expect(world.refusal(.get(withCounts: false)) == 10004)
    }

    @Test func aTimeOutStopsEverythingButReading() throws {
        var world = GuildWorld()
        let end = JSON.string(world.now.adding(seconds: 60).iso8601)
        let muted = try world.perform(
            .updateMember(GuildWorld.moderator), ["communication_disabled_until": end])
        #expect(try muted.json()["communication_disabled_until"] == end)
        world.checkInvariants()
        #expect(world.refusal(.createRole, by: GuildWorld.moderator) == 50013)
        #expect(world.refusal(.updateChannel(GuildWorld.general), by: GuildWorld.moderator, ["name": "x"]) == 50013)
        world.now = world.now.adding(seconds: 61)
        #expect(world.refusal(.createRole, by: GuildWorld.moderator) == nil)
        let tooLong = JSON.string(world.now.adding(seconds: 40 * 86_400).iso8601)
        #expect(
            world.refusal(.updateMember(GuildWorld.plain), ["communication_disabled_until": tooLong]) == 50035)
    }

    @Test func channelsOutOfViewAreNotToBeTouchedOrTold() throws {
        var world = GuildWorld()
        #expect(world.refusal(.channel(GuildWorld.hidden), by: GuildWorld.plain) == 50001)
        #expect(world.refusal(.channel(ChannelID(7)), by: GuildWorld.plain) == 10003)
        #expect(world.refusal(.updateChannel(GuildWorld.hidden), by: GuildWorld.moderator, ["name": "x"]) == 50001)
        #expect(world.refusal(.createInvite(GuildWorld.hidden, code: "c"), by: GuildWorld.moderator) == 50001)
        let listed = try world.perform(.listChannels, by: GuildWorld.plain).json()
        #expect(listed.arrayValue?.compactMap { $0["name"]?.stringValue } == ["general", "category"])
        #expect(try world.perform(.listChannels).json().arrayValue?.count == 3)
    }

    @Test func managedRolesAreNobodysToHandOut() throws {
        var world = GuildWorld()
        world.users[UserID(50)] = User(id: UserID(50), username: "helper", isBot: true)
        _ = try world.perform(.addBot(UserID(50), permissions: [.kickMembers]))
        let role = try #require(world.state.roles.values.first { $0.managed })
        #expect(role.botID == UserID(50))
        #expect(role.position == 1)
        #expect(world.refusal(.addRole(GuildWorld.plain, role.id)) == 50013)
        #expect(world.refusal(.removeRole(UserID(50), role.id)) == 50013)
        #expect(world.refusal(.deleteRole(role.id)) == 50013)
        world.checkInvariants()
        let gone = try world.perform(.kick(UserID(50)))
        #expect(world.state.roles[role.id] == nil)
        #expect(gone.kinds.prefix(3) == [.guildDelete, .guildMemberRemove, .guildRoleDelete])
        world.checkInvariants()
    }
}
