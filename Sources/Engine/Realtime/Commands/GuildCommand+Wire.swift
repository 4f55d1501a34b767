import FluxCluster
import FluxCore

extension GuildCommand: WireCodable {
    public func encode(to writer: inout WireWriter) {
        caller.encode(to: &writer)
        writer.optional(reason)
        writer.unsigned(idempotencyKey)
        operation.encode(to: &writer)
        body.encode(to: &writer)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        self.init(
            caller: try reader.value(), reason: try reader.optional(), idempotencyKey: try reader.unsigned(),
            operation: try reader.value(), body: try reader.value())
    }
}

extension GuildOperation: WireCodable {
    /// The numbers of the operations between nodes; they never change their meaning.
    private enum Number: UInt8 {
        case create = 1
        case get, summary, update, delete, leave
        case listChannels, channel, createChannel, reorderChannels, updateChannel, deleteChannel
        case setOverwrite, deleteOverwrite
        case member, listMembers, searchMembers, updateMember, updateOwnMember, addRole, removeRole, kick
        case listBans, getBan, ban, unban
        case listRoles, createRole, updateRole, reorderRoles, deleteRole
        case createInvite, invite, acceptInvite, deleteInvite, listInvites
        case addBot
    }

    public func encode(to writer: inout WireWriter) {
        writer.byte(number.rawValue)
        switch self {
        case .create, .update, .delete, .leave, .listChannels, .createChannel, .reorderChannels, .updateOwnMember,
            .listRoles, .createRole, .reorderRoles:
            break
        case .get(let withCounts), .summary(let withCounts):
            writer.bool(withCounts)
        case .channel(let id), .updateChannel(let id), .deleteChannel(let id), .member(let id), .updateMember(let id),
            .kick(let id), .getBan(let id), .ban(let id), .unban(let id), .updateRole(let id), .deleteRole(let id):
            id.encode(to: &writer)
        case .setOverwrite(let id, let target), .deleteOverwrite(let id, let target):
            id.encode(to: &writer)
            target.encode(to: &writer)
        case .addRole(let userID, let roleID), .removeRole(let userID, let roleID):
            userID.encode(to: &writer)
            roleID.encode(to: &writer)
        case .listMembers(let after, let limit):
            writer.optional(after)
            writer.signed(limit)
        case .searchMembers(let query, let limit):
            writer.string(query)
            writer.signed(limit)
        case .listBans(let before, let after, let limit):
            writer.optional(before)
            writer.optional(after)
            writer.signed(limit)
        case .createInvite(let id, let code):
            id.encode(to: &writer)
            writer.string(code)
        case .invite(let code, let withCounts):
            writer.string(code)
            writer.bool(withCounts)
        case .acceptInvite(let code), .deleteInvite(let code):
            writer.string(code)
        case .listInvites(let channelID):
            writer.optional(channelID)
        case .addBot(let userID, let permissions):
            userID.encode(to: &writer)
            writer.unsigned(permissions.rawValue)
        }
    }

    public init(from reader: inout WireReader) throws(WireError) {
        let raw = try reader.byte()
        guard let number = Number(rawValue: raw) else { throw .unknownCase(UInt64(raw)) }
        switch number {
        case .create: self = .create
        case .get: self = .get(withCounts: try reader.bool())
        case .summary: self = .summary(withCounts: try reader.bool())
        case .update: self = .update
        case .delete: self = .delete
        case .leave: self = .leave
        case .listChannels: self = .listChannels
        case .channel: self = .channel(try reader.value())
        case .createChannel: self = .createChannel
        case .reorderChannels: self = .reorderChannels
        case .updateChannel: self = .updateChannel(try reader.value())
        case .deleteChannel: self = .deleteChannel(try reader.value())
        case .setOverwrite: self = .setOverwrite(try reader.value(), target: try reader.value())
        case .deleteOverwrite: self = .deleteOverwrite(try reader.value(), target: try reader.value())
        case .member: self = .member(try reader.value())
        case .listMembers: self = .listMembers(after: try reader.optional(), limit: try reader.signed())
        case .searchMembers: self = .searchMembers(query: try reader.string(), limit: try reader.signed())
        case .updateMember: self = .updateMember(try reader.value())
        case .updateOwnMember: self = .updateOwnMember
        case .addRole: self = .addRole(try reader.value(), try reader.value())
        case .removeRole: self = .removeRole(try reader.value(), try reader.value())
        case .kick: self = .kick(try reader.value())
        case .listBans:
            self = .listBans(
                before: try reader.optional(), after: try reader.optional(), limit: try reader.signed())
        case .getBan: self = .getBan(try reader.value())
        case .ban: self = .ban(try reader.value())
        case .unban: self = .unban(try reader.value())
        case .listRoles: self = .listRoles
        case .createRole: self = .createRole
        case .updateRole: self = .updateRole(try reader.value())
        case .reorderRoles: self = .reorderRoles
        case .deleteRole: self = .deleteRole(try reader.value())
        case .createInvite: self = .createInvite(try reader.value(), code: try reader.string())
        case .invite: self = .invite(code: try reader.string(), withCounts: try reader.bool())
        case .acceptInvite: self = .acceptInvite(code: try reader.string())
        case .deleteInvite: self = .deleteInvite(code: try reader.string())
        case .listInvites: self = .listInvites(try reader.optional())
        case .addBot:
            self = .addBot(try reader.value(), permissions: Permissions(rawValue: try reader.unsigned()))
        }
    }

    private var number: Number {
        switch self {
        case .create: .create
        case .get: .get
        case .summary: .summary
        case .update: .update
        case .delete: .delete
        case .leave: .leave
        case .listChannels: .listChannels
        case .channel: .channel
        case .createChannel: .createChannel
        case .reorderChannels: .reorderChannels
        case .updateChannel: .updateChannel
        case .deleteChannel: .deleteChannel
        case .setOverwrite: .setOverwrite
        case .deleteOverwrite: .deleteOverwrite
        case .member: .member
        case .listMembers: .listMembers
        case .searchMembers: .searchMembers
        case .updateMember: .updateMember
        case .updateOwnMember: .updateOwnMember
        case .addRole: .addRole
        case .removeRole: .removeRole
        case .kick: .kick
        case .listBans: .listBans
        case .getBan: .getBan
        case .ban: .ban
        case .unban: .unban
        case .listRoles: .listRoles
        case .createRole: .createRole
        case .updateRole: .updateRole
        case .reorderRoles: .reorderRoles
        case .deleteRole: .deleteRole
        case .createInvite: .createInvite
        case .invite: .invite
        case .acceptInvite: .acceptInvite
        case .deleteInvite: .deleteInvite
        case .listInvites: .listInvites
        case .addBot: .addBot
        }
    }
}
