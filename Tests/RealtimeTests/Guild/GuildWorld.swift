import FluxCore
import FluxStore
import Testing

@testable import FluxRealtime

/// A guild with an owner (1), a moderator (2) with role `mod`, a plain member (3), a bot (4) with no role, and channels
/// `general` and `hidden`; commands are planned, applied and told of at once.
struct GuildWorld {
    static let guildID = GuildID(1000)
    static let owner = UserID(1)
    static let moderator = UserID(2)
    static let plain = UserID(3)
    static let bot = UserID(4)
    static let stranger = UserID(9)
    static let general = ChannelID(2000)
    static let hidden = ChannelID(2001)
    static let category = ChannelID(2002)
    static let high = RoleID(3003)
    static let mod = RoleID(3002)
    static let low = RoleID(3001)

    var state: GuildState
    var now = Timestamp(milliseconds: 1_780_000_000_000)
    var users: [UserID: User]
    private(set) var minted: UInt64 = 1 << 40

    static let modPermissions: Permissions = [
        .manageRoles, .manageChannels, .kickMembers, .banMembers, .manageNicknames, .moderateMembers, .manageGuild,
    ]

    init(modPermissions: Permissions = GuildWorld.modPermissions) {
        let guildID = Self.guildID
        let names: [UserID: String] = [
            Self.owner: "olga", Self.moderator: "moritz", Self.plain: "paula", Self.bot: "robot", Self.stranger: "stan",
        ]
        users = names.reduce(into: [:]) { users, entry in
            users[entry.key] = User(id: entry.key, username: entry.value, isBot: entry.key == Self.bot)
        }
        let roles = [
            Role(id: guildID, guildID: guildID, name: "@everyone", permissions: .everyoneDefault),
            Role(id: Self.low, guildID: guildID, name: "low", position: 1),
            Role(id: Self.mod, guildID: guildID, name: "mod", permissions: modPermissions, position: 2),
            Role(id: Self.high, guildID: guildID, name: "high", position: 3),
        ]
        let channels = [
            Channel(id: Self.general, kind: .text, guildID: guildID, name: "general"),
            Channel(
                id: Self.hidden, kind: .text, guildID: guildID, name: "hidden", position: 1,
                overwrites: [Overwrite(id: guildID, kind: .role, allow: [], deny: .viewChannel)]),
            Channel(id: Self.category, kind: .category, guildID: guildID, name: "category", position: 2),
        ]
        let start = now
        func member(_ id: UserID, _ roles: [RoleID] = []) -> GuildMember {
            GuildMember(
                member: Member(userID: id, guildID: guildID, roles: roles, joinedAt: start),
                user: User(id: id, username: names[id] ?? "", isBot: id == Self.bot))
        }
        state = GuildState(
            LoadedGuild(
                guild: Guild(id: guildID, name: "guild", ownerID: Self.owner), roles: roles, channels: channels,
                members: [
                    member(Self.owner), member(Self.moderator, [Self.mod]), member(Self.plain), member(Self.bot),
                ],
                inviteCount: 0, banCount: 0),
            invites: [], bans: [])
    }

    /// What a command came to.
    struct Outcome {
        var plan: GuildPlan
        var events: [GuildEvent]

        func json() throws -> JSON { try JSON.parse(plan.reply.body) }
        var kinds: [EventKind] { events.filter { !$0.body.isEmpty }.map(\.kind) }
    }

    mutating func perform(
        _ operation: GuildOperation, by userID: UserID = GuildWorld.owner, _ body: JSON = .null, reason: String? = nil
    ) throws(APIError) -> Outcome {
        let command = GuildCommand(
            caller: Caller(userID: userID, isBot: userID == Self.bot), reason: reason, operation: operation, body: body)
        var counter = minted
        let needed = state.unknownUsers(in: command)
        let planning = GuildPlanning(
            now: now, users: users.filter { needed.contains($0.key) },
            mint: { () throws(APIError) -> Snowflake in
                counter += 1
                return Snowflake(counter)
            })
        let plan = try state.plan(command, planning)
        minted = counter
        let events = state.apply(plan.changes, at: now)
        return Outcome(plan: plan, events: events)
    }

    /// The refusal of a command, or nil if it is done.
    mutating func refusal(
        _ operation: GuildOperation, by userID: UserID = GuildWorld.owner, _ body: JSON = .null
    ) -> Int? {
        do throws(APIError) {
            _ = try perform(operation, by: userID, body)
            return nil
        } catch {
            return error.code
        }
    }

    mutating func visibility(of userID: UserID) throws -> ChannelVisibility {
        let visibility = state.visibility(of: userID)
        return try #require(visibility)
    }

    mutating func opening(
        for userID: UserID, largeThreshold: Int, wantsPresences: Bool
    ) throws -> (visibility: ChannelVisibility, body: [UInt8]) {
        let opening = state.opening(for: userID, largeThreshold: largeThreshold, wantsPresences: wantsPresences)
        return try #require(opening)
    }

    /// What must hold whatever was done.
    mutating func checkInvariants(sourceLocation: SourceLocation = #_sourceLocation) {
        let positions = state.orderedRoles.map(\.position)
        #expect(positions == Array(0..<positions.count), sourceLocation: sourceLocation)
        #expect(state.orderedRoles.first?.id == state.guild.id, sourceLocation: sourceLocation)
        #expect(state.isMember(state.guild.ownerID), sourceLocation: sourceLocation)
        #expect(state.memberIDs == state.members.keys.sorted(), sourceLocation: sourceLocation)
        for (id, entry) in state.members {
            #expect(entry.member.roles.allSatisfy { state.roles[$0] != nil }, sourceLocation: sourceLocation)
            #expect(Set(entry.member.roles).count == entry.member.roles.count, sourceLocation: sourceLocation)
            #expect(!entry.member.roles.contains(state.guild.id), sourceLocation: sourceLocation)
            checkAccess(of: id, entry.member, sourceLocation)
        }
        for channel in state.channels.values {
            if let parent = channel.parentID {
                #expect(state.channels[parent]?.kind == .category, sourceLocation: sourceLocation)
            }
        }
    }

    /// The cached rights are those that protocol 4 computes from nothing.
    private mutating func checkAccess(of id: UserID, _ member: Member, _ sourceLocation: SourceLocation) {
        let base = PermissionComputation.base(
            isOwner: id == state.guild.ownerID, everyone: state.roles[state.guild.id]?.permissions ?? [],
            roles: member.roles.compactMap { state.roles[$0]?.permissions })
        #expect(state.permissions(of: id) == base, sourceLocation: sourceLocation)
        var visible: Set<ChannelID> = []
        for channel in state.channels.values {
            let expected = PermissionComputation.inChannel(
                base: base, guildID: state.guild.id, memberID: id, hasRole: member.roles.contains,
                overwrites: channel.overwrites, isTimedOut: member.isTimedOut(at: now))
            #expect(
                state.permissions(of: id, in: channel.id, at: now) == expected, sourceLocation: sourceLocation)
            if expected.contains(.viewChannel) { visible.insert(channel.id) }
        }
        #expect(state.visibility(of: id)?.channels == visible, sourceLocation: sourceLocation)
    }
}
