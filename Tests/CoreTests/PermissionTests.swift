import FluxCore
import Testing

@Suite struct PermissionTests {
    private let guild = GuildID(1)
    private let member = UserID(2)
    private let roleA = RoleID(10)
    private let roleB = RoleID(11)

    private func compute(
        base: Permissions, roles: Set<RoleID> = [], timedOut: Bool = false, _ overwrites: Overwrite...
    ) -> Permissions {
        PermissionComputation.inChannel(
            base: base, guildID: guild, memberID: member, hasRole: roles.contains, overwrites: overwrites,
            isTimedOut: timedOut)
    }

    private func role(_ id: RoleID, allow: Permissions = [], deny: Permissions = []) -> Overwrite {
        Overwrite(id: id, kind: .role, allow: allow, deny: deny)
    }

    private func own(allow: Permissions = [], deny: Permissions = []) -> Overwrite {
        Overwrite(id: member, kind: .member, allow: allow, deny: deny)
    }

    @Test func theDefaultsAreThoseOfTheProtocol() {
        let everyone = [0, 6, 10, 11, 14, 15, 16, 18, 20, 21, 25, 26, 31, 38].reduce(UInt64(0)) { $0 | 1 << UInt64($1) }
        #expect(Permissions.everyoneDefault.rawValue == everyone)
        let direct = [6, 10, 11, 14, 15, 16, 18, 20, 21, 25, 31].reduce(UInt64(0)) { $0 | 1 << UInt64($1) }
        #expect(Permissions.directMessage.rawValue == direct)
        let named = (Array(0...38) + [40, 46, 49, 50, 51, 52]).reduce(UInt64(0)) { $0 | 1 << UInt64($1) }
        #expect(Permissions.all.rawValue == named)
    }

    @Test func step1TheBaseIsTheUnionAndTheOwnerHasAll() {
        let base = PermissionComputation.base(
            isOwner: false, everyone: [.viewChannel], roles: [.sendMessages, .kickMembers])
        #expect(base == [.viewChannel, .sendMessages, .kickMembers])
        #expect(PermissionComputation.base(isOwner: true, everyone: [], roles: []) == .all)
        #expect(PermissionComputation.base(isOwner: false, everyone: [], roles: [.administrator]) == .all)
    }

    @Test func step1AnAdministratorIgnoresOverwritesAndTimeOuts() {
        let base = PermissionComputation.base(isOwner: false, everyone: [.administrator], roles: [])
        #expect(compute(base: base, timedOut: true, role(guild, deny: .all), own(deny: .all)) == .all)
    }

    @Test func step2TheOverwriteOfEveryoneDeniesThenAllows() {
        let result = compute(
            base: [.viewChannel, .sendMessages],
            role(guild, allow: [.addReactions, .sendMessages], deny: [.sendMessages]))
        #expect(result == [.viewChannel, .sendMessages, .addReactions])
    }

    @Test func step3AnAllowOfOneRoleWinsOverTheDenyOfAnother() {
        let result = compute(
            base: [.viewChannel, .sendMessages], roles: [roleA, roleB],
            role(roleA, allow: [.sendMessages]), role(roleB, deny: [.sendMessages, .viewChannel]),
            role(guild, deny: [.sendMessages]), role(RoleID(99), deny: .all))
        #expect(result == [])
        let seen = compute(
            base: [.viewChannel, .sendMessages], roles: [roleA, roleB],
            role(roleA, allow: [.sendMessages]), role(roleB, deny: [.sendMessages]))
        #expect(seen == [.viewChannel, .sendMessages])
    }

    @Test func step4TheOverwriteOfTheMemberIsLast() {
        let result = compute(
            base: [.viewChannel, .sendMessages], roles: [roleA], role(roleA, allow: [.manageMessages]),
            own(allow: [.pinMessages], deny: [.manageMessages]),
            Overwrite(id: UserID(3), kind: .member, allow: .all, deny: []))
        #expect(result == [.viewChannel, .sendMessages, .pinMessages])
    }

    @Test func overwritesOfOneKindDoNotMatchIDsOfTheOther() {
        let result = compute(
            base: [.viewChannel], roles: [roleA], Overwrite(id: roleA, kind: .member, allow: .all, deny: []),
            Overwrite(id: member, kind: .role, allow: .all, deny: []))
        #expect(result == [.viewChannel])
    }

    @Test func step5WithoutViewingNothingIsLeftAndWithoutSendingNothingThatNeedsIt() {
        #expect(compute(base: .all.subtracting(.administrator), role(guild, deny: [.viewChannel])) == [])
        let silent = compute(
            base: [.viewChannel, .sendMessages, .attachFiles, .embedLinks, .mentionEveryone, .addReactions],
            role(guild, deny: [.sendMessages]))
        #expect(silent == [.viewChannel, .addReactions])
    }

    @Test func step6ATimeOutLeavesViewingAndReading() {
        let base: Permissions = [.viewChannel, .readMessageHistory, .sendMessages, .addReactions]
        #expect(compute(base: base, timedOut: true) == [.viewChannel, .readMessageHistory])
        #expect(compute(base: [.viewChannel], timedOut: true) == [.viewChannel])
        #expect(compute(base: [.readMessageHistory], timedOut: true) == [])
    }

    @Test func anOverwriteMakesNoAdministrator() {
        #expect(!compute(base: [.viewChannel], own(allow: [.administrator])).contains(.administrator))
    }

    @Test func areReadFromStringsAndNumbers() {
        #expect(Permissions(json: "1024") == .viewChannel)
        #expect(Permissions(json: 1024) == .viewChannel)
        #expect(Permissions(json: .string(String(UInt64.max)))?.rawValue == .max)
        #expect(Permissions(json: .number(.unsigned(.max)))?.rawValue == .max)
        for bad: JSON in ["", "-1", "+1", "1e3", "x", -1, 1.5, nil, true, []] { #expect(Permissions(json: bad) == nil) }
    }
}

@Suite struct RoleHierarchyTests {
    private let hierarchy = RoleHierarchy(guildID: GuildID(1), ownerID: UserID(100))
    private let low = Role(id: RoleID(10), guildID: GuildID(1), name: "low", position: 1)
    private let high = Role(id: RoleID(11), guildID: GuildID(1), name: "high", position: 5)
    private let twin = Role(id: RoleID(12), guildID: GuildID(1), name: "twin", position: 5)

    @Test func onlyWhatIsBelowCanBeManaged() {
        let place = hierarchy.place(of: UserID(2), roles: [low, high])
        #expect(hierarchy.mayManage(low, from: place))
        #expect(!hierarchy.mayManage(high, from: place))
        #expect(hierarchy.mayManage(twin, from: place))
        #expect(!hierarchy.mayManage(high, from: hierarchy.place(of: UserID(3), roles: [twin])))
        #expect(hierarchy.mayManage(high, from: hierarchy.place(of: UserID(100), roles: [])))
        #expect(!hierarchy.mayManage(low, from: hierarchy.place(of: UserID(2), roles: [])))
    }

    @Test func membersAreActedOnFromAboveOnlyAndTheOwnerNever() {
        let owner = hierarchy.place(of: UserID(100), roles: [])
        let strong = hierarchy.place(of: UserID(2), roles: [high])
        let weak = hierarchy.place(of: UserID(3), roles: [low])
        #expect(hierarchy.mayAct(on: weak, from: strong))
        #expect(!hierarchy.mayAct(on: strong, from: strong))
        #expect(!hierarchy.mayAct(on: strong, from: weak))
        #expect(!hierarchy.mayAct(on: owner, from: strong))
        #expect(!hierarchy.mayAct(on: owner, from: owner))
        #expect(hierarchy.mayAct(on: strong, from: owner))
    }

    @Test func nobodyButTheOwnerGrantsWhatTheyLack() {
        let place = hierarchy.place(of: UserID(2), roles: [high])
        #expect(hierarchy.mayGrant([.kickMembers], holding: [.kickMembers, .manageRoles], from: place))
        #expect(!hierarchy.mayGrant([.kickMembers, .banMembers], holding: [.kickMembers], from: place))
        #expect(hierarchy.mayGrant(.all, holding: [], from: .owner))
        #expect(hierarchy.mayGrant([.banMembers], holding: .all, from: place))
    }
}
