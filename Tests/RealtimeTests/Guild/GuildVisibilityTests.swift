import FluxCore
import Testing

@testable import FluxRealtime

/// What comes into view and goes out of it, and in which order members hear of it (I7, protocol 7.9).
@Suite struct GuildVisibilityTests {
    private func watcher(_ id: UserID, _ world: inout GuildWorld) throws -> GuildWatcher {
        GuildWatcher(id, try world.visibility(of: id))
    }

    @Test func anOverwriteRevealsAndHidesForJustThoseItTouches() throws {
        var world = GuildWorld()
        var plain = try watcher(GuildWorld.plain, &world)
        var owner = try watcher(GuildWorld.owner, &world)
        var other = try watcher(GuildWorld.moderator, &world)
        let view = JSON.string(Permissions.viewChannel.description)
        let operation = GuildOperation.setOverwrite(GuildWorld.hidden, target: GuildWorld.plain)
        for events in [
            try world.perform(operation, ["type": 1, "allow": view, "deny": "0"]).events,
            try world.perform(operation, ["type": 1, "allow": "0", "deny": view]).events,
        ] {
            try plain.receive(events)
            try owner.receive(events)
            try other.receive(events)
        }
        #expect(plain.takeKinds() == [.channelCreate, .channelDelete])
        #expect(owner.takeKinds() == [.channelUpdate, .channelUpdate])
        #expect(other.takeKinds() == [])
        world.checkInvariants()
    }

    @Test func whatIsHiddenIsNotToldOfTheChangeThatHidIt() throws {
        var world = GuildWorld()
        var plain = try watcher(GuildWorld.plain, &world)
        let view = JSON.string(Permissions.viewChannel.description)
        let events = try world.perform(
            .updateChannel(GuildWorld.general),
            [
                "name": "secret-name",
                "permission_overwrites": [["id": JSON(GuildWorld.guildID), "type": 0, "allow": "0", "deny": view]],
            ]
        ).events
        try plain.receive(events)
        #expect(plain.received.map(\.kind) == [.channelDelete])
        #expect(try JSON.parse(plain.received[0].body)["name"] == "general")
        world.checkInvariants()
    }

    @Test func rolesRevealAndHide() throws {
        var world = GuildWorld()
        let view = JSON.string(Permissions.viewChannel.description)
        _ = try world.perform(.setOverwrite(GuildWorld.hidden, target: GuildWorld.low), ["type": 0, "allow": view])
        var plain = try watcher(GuildWorld.plain, &world)
        try plain.receive(try world.perform(.addRole(GuildWorld.plain, GuildWorld.low)).events)
        #expect(plain.takeKinds() == [.guildMemberUpdate, .channelCreate])
        try plain.receive(try world.perform(.removeRole(GuildWorld.plain, GuildWorld.low)).events)
        #expect(plain.takeKinds() == [.channelDelete, .guildMemberUpdate])
        try plain.receive(try world.perform(.addRole(GuildWorld.plain, GuildWorld.low)).events)
        try plain.receive(try world.perform(.deleteRole(GuildWorld.low)).events)
        #expect(
            plain.takeKinds() == [
                .guildMemberUpdate, .channelCreate, .channelDelete, .guildRoleDelete, .guildRoleUpdate,
                .guildRoleUpdate,
            ])
        world.checkInvariants()
    }

    @Test func administratorsSeeAll() throws {
        var world = GuildWorld()
        var moderator = try watcher(GuildWorld.moderator, &world)
        try moderator.receive(try world.perform(.updateRole(GuildWorld.mod), ["permissions": 8]).events)
        #expect(moderator.takeKinds() == [.guildRoleUpdate, .channelCreate])
        try moderator.receive(try world.perform(.updateRole(GuildWorld.mod), ["permissions": 0]).events)
        #expect(moderator.takeKinds() == [.channelDelete, .guildRoleUpdate])
        world.checkInvariants()
    }

    @Test func aNewOwnerSeesAllAndTheFormerOneLosesIt() throws {
        var world = GuildWorld()
        var owner = try watcher(GuildWorld.owner, &world)
        var plain = try watcher(GuildWorld.plain, &world)
        let events = try world.perform(.update, ["owner_id": "3"]).events
        try owner.receive(events)
        try plain.receive(events)
        #expect(owner.takeKinds() == [.channelDelete, .guildUpdate])
        #expect(plain.takeKinds() == [.guildUpdate, .channelCreate])
        world.checkInvariants()
    }

    @Test func channelsComeAndGoForThoseWhoMayView() throws {
        var world = GuildWorld()
        var plain = try watcher(GuildWorld.plain, &world)
        var owner = try watcher(GuildWorld.owner, &world)
        let view = JSON.string(Permissions.viewChannel.description)
        let secret = try world.perform(
            .createChannel,
            [
                "name": "s",
                "permission_overwrites": [["id": JSON(GuildWorld.guildID), "type": 0, "allow": "0", "deny": view]],
            ])
        let open = try world.perform(.createChannel, ["name": "o", "type": 0, "parent_id": JSON(GuildWorld.category)])
        let id = try #require(try secret.json()["id"]?.snowflakeValue)
        for events in [secret.events, open.events, try world.perform(.deleteChannel(id)).events] {
            try plain.receive(events)
            try owner.receive(events)
        }
        #expect(plain.takeKinds() == [.channelCreate])
        #expect(owner.takeKinds() == [.channelCreate, .channelCreate, .channelDelete])
        // The number of the channel that went is given to the next one, which others may see.
        try plain.receive(try world.perform(.createChannel, ["name": "next"]).events)
        #expect(plain.takeKinds() == [.channelCreate])
        world.checkInvariants()
    }

    @Test func nothingFollowsAKick() throws {
        var world = GuildWorld()
        var plain = try watcher(GuildWorld.plain, &world)
        var owner = try watcher(GuildWorld.owner, &world)
        for events in [
            try world.perform(.ban(GuildWorld.plain)).events, try world.perform(.createChannel, ["name": "x"]).events,
        ] {
            try plain.receive(events)
            try owner.receive(events)
        }
        #expect(plain.takeKinds() == [.guildBanAdd, .guildDelete])
        #expect(owner.takeKinds() == [.guildBanAdd, .guildMemberRemove, .channelCreate])
        world.checkInvariants()
    }

    @Test func membersWithEqualRolesShareOneView() throws {
        var world = GuildWorld()
        let first = try world.visibility(of: GuildWorld.plain)
        let second = try world.visibility(of: GuildWorld.bot)
        #expect(first === second)
    }
}
