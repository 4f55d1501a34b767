import FluxCore
import Synchronization
import Testing

@testable import FluxRealtime

/// I7 with messages going through at full speed: once a change is acknowledged, nothing of what was taken reaches the member
/// or is accepted from them, nobody else misses anything, and what is given is seen without a gap.
@Suite(.serialized) struct AccessUnderLoadTests {
    /// A guild with three channels, a member whose rights change, one whose rights do not, and the owner, who writes.
    private struct Stage {
        let node: TestNode
        let owner: Caller
        let member: Caller
        let other: Caller
        let guild: (id: GuildID, channel: ChannelID)
        let channels: [ChannelID]
        let role: RoleID
        /// The member's sessions, one on each loop, and one of somebody else on each.
        let watched: [TestClient]
        let others: [TestClient]

        init(_ node: TestNode) async throws {
            self.node = node
            owner = try await node.person("owner")
            member = try await node.person("member")
            other = try await node.person("other")
            guild = try await node.guild(of: owner)
            try await node.join(member, guild, by: owner)
            try await node.join(other, guild, by: owner)
            var channels = [guild.channel]
            for name in ["two", "three"] {
                let reply = try await node.realtime.perform(
                    GuildCommand(caller: owner, operation: .createChannel, body: ["name": .string(name), "type": 0]),
                    on: guild.id)
                channels.append(try #require(try JSON.parse(reply.body)["id"]?.snowflakeValue))
            }
            self.channels = channels
            let made = try await node.realtime.perform(
                GuildCommand(caller: owner, operation: .createRole, body: ["name": "r", "permissions": "0"]),
                on: guild.id)
            role = try #require(try JSON.parse(made.body)["id"]?.snowflakeValue)
            watched = [try await node.connect(member, loop: 0), try await node.connect(member, loop: 1)]
            others = [try await node.connect(other, loop: 0), try await node.connect(other, loop: 1)]
        }

        func perform(_ operation: GuildOperation, _ body: JSON = .null) async throws {
            _ = try await node.realtime.perform(
                GuildCommand(caller: owner, operation: operation, body: body), on: guild.id)
        }

        /// What the role or a person is given or denied in a channel.
        func overwrite(
            _ channel: ChannelID, _ target: Snowflake, isMember: Bool, allow: Permissions = [], deny: Permissions = []
        ) async throws {
            try await perform(
                .setOverwrite(channel, target: target),
                [
                    "type": isMember ? 1 : 0, "allow": .string(allow.description), "deny": .string(deny.description),
                ])
        }
    }

    /// What became of the member's own writes.
    private final class MemberWrites: Sendable {
        let areRevoked = Atomic<Bool>(false)
        let areOver = Atomic<Bool>(false)
        let accepted = Atomic<Int>(0)
        /// Accepted ones that were begun after the change was acknowledged.
        let late = Atomic<Int>(0)
    }

    enum Taking: String, CaseIterable {
        case kick, ban, memberOverwrite, everyoneOverwrite, roleOverwriteByGivingTheRole, roleTaken, roleChanged,
            roleDeleted, channelDeleted, everyoneRoleChanged
    }

    @Test(arguments: Taking.allCases) func nothingThatWasTakenFollowsTheAnswer(taking: Taking) async throws {
        try await TestNode.run { node in
            let stage = try await Stage(node)
            let (member, channel) = (stage.member.userID, stage.channels[1])
            // What the member holds through a role, where it is the role that goes.
            switch taking {
            case .roleTaken, .roleChanged, .roleDeleted:
                try await stage.overwrite(channel, stage.guild.id, isMember: false, deny: .viewChannel)
                if taking == .roleChanged {
                    try await stage.perform(
                        .updateRole(stage.role), ["permissions": .string(Permissions.administrator.description)])
                } else {
                    try await stage.overwrite(channel, stage.role, isMember: false, allow: .viewChannel)
                }
                try await stage.perform(.addRole(member, stage.role))
            case .roleOverwriteByGivingTheRole:
                try await stage.overwrite(channel, stage.role, isMember: false, deny: .viewChannel)
            default: break
            }
            let isOut = taking == .kick || taking == .ban
            let taken: Set<ChannelID> =
                switch taking {
                case .kick, .ban, .everyoneRoleChanged: Set(stage.channels)
                default: [channel]
                }
            let writes = MemberWrites()

            let marks = try await Traffic.run(
                by: stage.owner, in: stage.channels, on: node,
                tolerates: { $0 == .unknownChannel || $0 == .refusedByDatabase }
            ) { traffic in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    // The member writes all the time, over REST and over its sessions.
                    for _ in 0..<3 {
                        group.addTask {
                            while !writes.areOver.load(ordering: .acquiring) {
                                let startedLate = writes.areRevoked.load(ordering: .acquiring)
                                if (try? await node.say("mine", in: channel, as: stage.member)) != nil {
                                    writes.accepted.wrappingAdd(1, ordering: .relaxed)
                                    if startedLate { writes.late.wrappingAdd(1, ordering: .relaxed) }
                                } else {
                                    await Task.yield()
                                }
                            }
                        }
                    }
                    try await traffic.flow(60)
                    while writes.accepted.load(ordering: .relaxed) < 5 { try await Task.sleep(for: .milliseconds(2)) }
                    switch taking {
                    case .kick: try await stage.perform(.kick(member))
                    case .ban: try await stage.perform(.ban(member), ["delete_message_seconds": 0])
                    case .memberOverwrite:
                        try await stage.overwrite(channel, member, isMember: true, deny: .viewChannel)
                    case .everyoneOverwrite:
                        try await stage.overwrite(channel, stage.guild.id, isMember: false, deny: .viewChannel)
                    case .roleOverwriteByGivingTheRole: try await stage.perform(.addRole(member, stage.role))
                    case .roleTaken: try await stage.perform(.removeRole(member, stage.role))
                    case .roleChanged: try await stage.perform(.updateRole(stage.role), ["permissions": "0"])
                    case .roleDeleted: try await stage.perform(.deleteRole(stage.role))
                    case .channelDeleted: try await stage.perform(.deleteChannel(channel))
                    case .everyoneRoleChanged:
                        try await stage.perform(.updateRole(stage.guild.id), ["permissions": "0"])
                    }
                    // The answer is here: what the member's sessions have by now is all they may ever have.
                    let marks = stage.watched.map(\.dispatches.count)
                    writes.areRevoked.store(true, ordering: .releasing)
                    for client in stage.watched { client.send("late", to: channel, nonce: "late") }
                    try await traffic.flow(60)
                    writes.areOver.store(true, ordering: .releasing)
                    try await group.waitForAll()
                    return marks
                }
            }
            #expect(writes.late.load(ordering: .relaxed) == 0)
            for client in stage.watched {
                await client.until { _, acknowledgements, _ in !acknowledgements.isEmpty }
                #expect(client.acknowledgements.first?["error"] != nil)
            }
            let ends = try await end(stage, except: taken)
            for (client, mark) in zip(stage.watched, marks) {
                let late = client.dispatches[mark...].filter { dispatch in
                    let place = dispatch.body["channel_id"]?.snowflakeValue
                    if isOut, dispatch.body["guild_id"]?.snowflakeValue == stage.guild.id { return true }
                    return place.map(taken.contains) ?? false
                }
                #expect(late.isEmpty, "\(late.map(\.kind))")
                var audit = SessionAudit()
                audit.feed(client.dispatches)
                #expect(audit.breaches == [])
                for place in stage.channels where !taken.contains(place) {
                    #expect(audit.lastSeq(of: place) == ends[place])
                }
                for place in taken { #expect(!audit.shows(place)) }
            }
            // Nobody else has missed anything.
            for client in stage.others {
                var audit = SessionAudit()
                audit.feed(client.dispatches)
                #expect(audit.breaches == [])
                for (place, end) in ends where audit.shows(place) { #expect(audit.lastSeq(of: place) == end) }
            }
        }
    }

    /// Writes a last message everywhere and waits until everyone who sees the channel knows of it. Gives each channel's last seq.
    private func end(_ stage: Stage, except taken: Set<ChannelID>) async throws -> [ChannelID: Int] {
        var ends: [ChannelID: Int] = [:]
        for channel in stage.channels {
            guard let said = try? await stage.node.say("end", in: channel, as: stage.owner) else { continue }
            ends[channel] = said["seq"]?.intValue
        }
        for client in stage.others + stage.watched {
            var audit = SessionAudit()
            audit.feed(client.dispatches)
            for (channel, last) in ends where audit.shows(channel) {
                await client.until { dispatches, _, _ in dispatches.contains { $0.tells(of: last, in: channel) } }
            }
        }
        return ends
    }

    /// Taken and given back again and again: between CHANNEL_CREATE and CHANNEL_DELETE nothing is missing, outside nothing comes.
    @Test func whatIsGivenIsSeenFromThenOnWithoutAGap() async throws {
        try await TestNode.run { node in
            let stage = try await Stage(node)
            let (member, channel) = (stage.member.userID, stage.channels[1])
            try await stage.overwrite(channel, stage.guild.id, isMember: false, deny: .viewChannel)
            try await stage.overwrite(channel, stage.role, isMember: false, allow: .viewChannel)
            try await Traffic.run(by: stage.owner, in: stage.channels, on: node) { traffic in
                for _ in 0..<15 {
                    try await stage.perform(.addRole(member, stage.role))
                    try await traffic.flow(10)
                    try await stage.perform(.removeRole(member, stage.role))
                    try await traffic.flow(5)
                    try await stage.overwrite(channel, member, isMember: true, allow: .viewChannel)
                    try await traffic.flow(10)
                    try await stage.perform(.deleteOverwrite(channel, target: member))
                }
                try await stage.perform(.addRole(member, stage.role))
                try await traffic.flow(20)
            }
            let ends = try await end(stage, except: [])
            for client in stage.watched {
                var audit = SessionAudit()
                audit.feed(client.dispatches)
                #expect(audit.breaches == [])
                #expect(audit.kinds[.channelCreate] == 31)
                #expect(audit.kinds[.channelDelete] == 31)
                for place in stage.channels { #expect(audit.lastSeq(of: place) == ends[place]) }
                #expect(client.broken == nil)
            }
        }
    }

    /// Out and in again, with all sessions open: GUILD_CREATE says where each channel stands, and the rest follows.
    @Test func whoComesBackSeesEverythingFromThenOn() async throws {
        try await TestNode.run { node in
            let stage = try await Stage(node)
            try await Traffic.run(by: stage.owner, in: stage.channels, on: node) { traffic in
                for _ in 0..<10 {
                    try await traffic.flow(10)
                    try await stage.perform(.kick(stage.member.userID))
                    try await traffic.flow(10)
                    try await node.join(stage.member, stage.guild, by: stage.owner)
                }
                try await traffic.flow(10)
            }
            for client in stage.watched {
                await client.until { dispatches, _, _ in dispatches.count { $0.kind == .guildCreate } == 10 }
            }
            let ends = try await end(stage, except: [])
            for client in stage.watched {
                var audit = SessionAudit()
                audit.feed(client.dispatches)
                #expect(audit.breaches == [])
                #expect(audit.kinds[.guildDelete] == 10)
                for place in stage.channels { #expect(audit.lastSeq(of: place) == ends[place]) }
            }
        }
    }

    /// A write that has to wait for Postgres is decided anew when it has waited: a kick may have overtaken it.
    @Test func noWriteThatWaitedIsAcceptedAfterAKick() async throws {
        try await TestNode.run { node in
            let stage = try await Stage(node)
            let channel = stage.channels[0]
            let thumb = try #require(Emoji(pathSegment: "👍"))
            for _ in 0..<6 {
                // Old enough not to be at hand any more.
                var old: [MessageID] = []
                for number in 0..<12 {
                    let message = try await node.say("old \(number)", in: channel, as: stage.member)
                    old.append(try #require(message["id"]?.snowflakeValue))
                }
                for number in 0..<110 { try await node.say("\(number)", in: channel, as: stage.owner) }
                await withTaskGroup(of: Void.self) { group in
                    for (number, id) in old.enumerated() {
                        let operation: ChannelOperation =
                            switch number % 3 {
                            case 0: .edit(id, attachments: [])
                            case 1: .addReaction(id, thumb)
                            default: .delete(id)
                            }
                        group.addTask {
                            _ = try? await node.realtime.perform(
                                ChannelCommand(
                                    caller: stage.member, operation: operation, body: ["content": .string("edited")]),
                                on: channel)
                        }
                    }
                    group.addTask { try? await stage.perform(.kick(stage.member.userID)) }
                }
                try await node.join(stage.member, stage.guild, by: stage.owner)
            }
            _ = try await end(stage, except: [])
            for client in stage.others {
                // The stream has one order: after the removal nothing of the member's comes, until they are back.
                var isMember = true
                var own: Set<MessageID> = []
                var breaches: [EventKind] = []
                for dispatch in client.dispatches {
                    let body = dispatch.body
                    switch dispatch.kind {
                    case .guildMemberRemove: isMember = false
                    case .guildMemberAdd: isMember = true
                    case .messageCreate:
                        if body["author"]?["id"]?.snowflakeValue == stage.member.userID {
                            if let id = body["id"]?.snowflakeValue { own.insert(id) }
                            if !isMember { breaches.append(dispatch.kind) }
                        }
                    case .messageUpdate, .messageDelete, .messageReactionAdd:
                        let id = (body["message_id"] ?? body["id"])?.snowflakeValue
                        if !isMember, id.map(own.contains) ?? false { breaches.append(dispatch.kind) }
                    default: break
                    }
                }
                #expect(breaches == [])
            }
        }
    }
}

extension TestClient.Dispatch {
    /// Whether the client knows from this of a channel's event `seq`: it is the event, or a snapshot that holds it.
    fileprivate func tells(of seq: Int, in channel: ChannelID) -> Bool {
        switch kind {
        case .messageCreate:
            body["channel_id"]?.snowflakeValue == channel && body["seq"]?.intValue == seq
        case .guildCreate:
            body["channels"]?.arrayValue?.contains {
                $0["id"]?.snowflakeValue == channel && ($0["last_seq"]?.intValue ?? 0) >= seq
            } ?? false
        case .channelCreate:
            body["id"]?.snowflakeValue == channel && (body["last_seq"]?.intValue ?? 0) >= seq
        default: false
        }
    }
}
