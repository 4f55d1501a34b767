import FluxCore
import Testing

@testable import FluxRealtime

/// Random commands of everybody, sensible and not: whatever is accepted, the invariants hold, every member's client has
/// been told of exactly the channels it may view, and nothing is stored for what changes nothing.
@Suite struct GuildPropertyTests {
    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func invariantsHoldWhateverIsAsked(seed: UInt64) throws {
        var world = GuildWorld()
        var generator = GuildRandom(seed: seed)
        var watchers: [UserID: GuildWatcher] = [:]
        for id in 20..<40 as Range<UInt64> {
            world.users[UserID(id)] = User(id: UserID(id), username: "user\(id)", isBot: id >= 36)
        }
        var accepted = 0
        for _ in 0..<600 {
            for id in world.state.memberIDs where watchers[id] == nil {
                watchers[id] = GuildWatcher(id, try world.visibility(of: id))
            }
            let (operation, caller, body) = generator.command(for: world)
            let before = world.state
            let outcome: GuildWorld.Outcome
            do throws(APIError) {
                outcome = try world.perform(operation, by: caller, body)
            } catch {
                #expect((400..<500).contains(error.status))
                continue
            }
            if !outcome.plan.changes.isEmpty {
                accepted += 1
                let silent = outcome.plan.changes.allSatisfy { if case .userChanged = $0 { true } else { false } }
                #expect(silent || !before.statements(for: outcome.plan.changes).isEmpty)
            }
            for id in watchers.keys.sorted() {
                try watchers[id]?.receive(outcome.events)
                if world.state.isMember(id) {
                    #expect(watchers[id]?.shown == world.state.visibility(of: id)?.channels)
                } else {
                    #expect(watchers[id]?.isEnded == true)
                    watchers[id] = nil
                }
            }
            world.checkInvariants()
        }
        #expect(accepted > 100)
    }
}

/// Draws commands from a seed.
private struct GuildRandom {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 }

    private mutating func below(_ bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int((state >> 33) % UInt64(max(1, bound)))
    }

    private mutating func pick<Element>(_ elements: [Element], or fallback: Element) -> Element {
        elements.isEmpty ? fallback : elements[below(elements.count)]
    }

    private mutating func permissions() -> JSON {
        let interesting: [Permissions] = [
            [], .viewChannel, [.viewChannel, .manageRoles], .administrator, .manageChannels, .sendMessages, .all,
            [.kickMembers, .banMembers],
        ]
        return .string(pick(interesting, or: []).description)
    }

    mutating func command(for world: GuildWorld) -> (GuildOperation, UserID, JSON) {
        let everyone = world.users.keys.sorted()
        let members = world.state.memberIDs
        let channels = world.state.channels.keys.sorted()
        let roles = world.state.roles.keys.sorted()
        let user = pick(everyone, or: UserID(1))
        let member = pick(members, or: UserID(1))
        let channel = pick(channels, or: ChannelID(5))
        let role = pick(roles, or: RoleID(5))
        // Mostly the owner, so that much is accepted; otherwise anybody.
        let caller = below(3) > 0 ? world.state.guild.ownerID : pick(everyone, or: UserID(1))
        let overwrite: JSON = [
            "id": below(2) == 0 ? JSON(role) : JSON(member), "allow": permissions(), "deny": permissions(),
        ]
        switch below(22) {
        case 0:
            return (
                .createChannel, caller,
                [
                    "name": "c", "type": [0, 2, 4, 5][below(4)], "parent_id": below(2) == 0 ? JSON(channel) : nil,
                    "permission_overwrites": below(2) == 0 ? [overwrite] : [],
                ]
            )
        case 1: return (.deleteChannel(channel), caller, nil)
        case 2:
            return (
                .updateChannel(channel), caller,
                ["name": .string("n\(below(9))"), "permission_overwrites": [overwrite], "parent_id": JSON(channel)]
                    as JSON
            )
        case 3, 4: return (.setOverwrite(channel, target: role), caller, overwrite)
        case 5, 6: return (.setOverwrite(channel, target: member), caller, overwrite)
        case 7:
            let target = world.state.channels[channel]?.overwrites.first?.id ?? role
            return (.deleteOverwrite(channel, target: target), caller, nil)
        case 8: return (.createRole, caller, ["name": "r", "permissions": permissions()])
        case 9: return (.updateRole(role), caller, ["permissions": permissions()])
        case 10: return (.deleteRole(role), caller, nil)
        case 11:
            return (.reorderRoles, caller, [["id": JSON(role), "position": JSON(below(6))]])
        case 12, 13: return (.addRole(member, role), caller, nil)
        case 14: return (.updateMember(member), caller, ["roles": .array([JSON(role), JSON(pick(roles, or: role))])])
        case 15: return (.kick(member), caller, nil)
        case 16: return (.ban(user), caller, nil)
        case 17: return (.unban(user), caller, nil)
        case 18: return (.createInvite(channel, code: "code\(below(5))"), caller, ["max_uses": JSON(below(3))])
        case 19: return (.acceptInvite(code: "code\(below(5))"), user, nil)
        case 20: return (.addBot(user, permissions: below(2) == 0 ? [] : .kickMembers), caller, nil)
        default: return (.update, caller, ["owner_id": JSON(member)])
        }
    }
}
