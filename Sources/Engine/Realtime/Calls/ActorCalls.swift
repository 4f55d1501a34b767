import FluxCluster
import FluxCore

extension ActorKind {
    static let guild = ActorKind(rawValue: 1)
    static let channel = ActorKind(rawValue: 2)
    static let user = ActorKind(rawValue: 3)
    static let session = ActorKind(rawValue: 4)
    static let budget = ActorKind(rawValue: 5)
}

extension ActorAddress {
    static func guild(_ id: GuildID) -> ActorAddress { ActorAddress(kind: .guild, key: id) }
    static func user(_ id: UserID) -> ActorAddress { ActorAddress(kind: .user, key: id) }
    static func budget(of id: UserID) -> ActorAddress { ActorAddress(kind: .budget, key: id) }

    /// A session's address names a slot only to say which loop of its node it lives on.
    init(session key: SessionKey, onLoop index: Int, of mesh: LoopMesh) {
        let slot = Slot.all.first { mesh.index(of: $0) == index }
        precondition(slot != nil, "every loop has slots as long as there are fewer loops than slots")
        self.init(kind: .session, key: key.rawValue, slot: slot ?? Slot(of: Snowflake(0)))
    }
}

/// The calls of the message path by number (design 4). A number never changes its meaning.
enum ChannelCalls {
    /// Sends a message; answered when it is durable.
    static let send = Call<ChannelActor, SendRequest, Sent>(number: 1)
    /// Takes one use of a limit that a request over REST falls under.
    static let budget = Call<ChannelActor, BudgetRequest, BudgetReply>(number: 3)
    /// Two recipients of a DM have blocked or unblocked one another.
    static let relationshipsChanged = Call<ChannelActor, Nothing, Nothing>(number: 2, isIdempotent: true)
    /// What comes after the last entry of a conversation's log that a recipient was shown?
    static let missed = Call<ChannelActor, DirectQuestion, DirectCorrection>(number: 4, isIdempotent: true)
}

enum GuildCalls {
    /// A session of a member listens no longer.
    static let unwatch = Call<GuildActor, GuildWatch, Nothing>(number: 10)
    /// A session of a member, which has moved to another node, listens there. To count it twice does no harm.
    static let watch = Call<GuildActor, GuildWatch, Nothing>(number: 14, isIdempotent: true)
    /// A node's relay wants the guild's stream.
    static let register = Call<GuildActor, RelayRegistration, RelayWelcome>(number: 13, isIdempotent: true)
    /// A member's presence changed.
    static let presence = Call<GuildActor, MemberPresence, Nothing>(number: 11, isIdempotent: true)
    /// Something waits in the outbox; answered when it has been looked at.
    static let outbox = Call<GuildActor, Nothing, Nothing>(number: 12, isIdempotent: true)
}

enum BudgetCalls {
    /// Lends a portion of one of the person's limits.
    static let lend = Call<BudgetActor, BudgetLoanRequest, BudgetLoan>(number: 30)
}

enum UserCalls {
    /// Where does one of the user's sessions live?
    static let whereabouts = Call<UserActor, SessionQuestion, SessionWhereabouts>(number: 28, isIdempotent: true)
    /// What became of one of the user's sessions.
    static let session = Call<UserActor, SessionNews, Nothing>(number: 20, isIdempotent: true)
    /// A node's relay wants the user's stream.
    static let register = Call<UserActor, RelayRegistration, RelayWelcome>(number: 27, isIdempotent: true)
    /// An event of a DM for one of its recipients. One that comes twice is known by its place in the log.
    static let directEvent = Call<UserActor, DirectEvent, Nothing>(number: 21, isIdempotent: true)
    /// Where the log of a DM stands, for a recipient who may have missed an event.
    static let directHead = Call<UserActor, ChannelHead, Nothing>(number: 31, isIdempotent: true)
    /// A friend's presence changed.
    static let friendPresence = Call<UserActor, MemberPresence, Nothing>(number: 22, isIdempotent: true, wakes: false)
    /// Something waits in the outbox; answered when it has been looked at.
    static let outbox = Call<UserActor, Nothing, Nothing>(number: 23, isIdempotent: true)
    /// How does the user look to a friend?
    static let presence = Call<UserActor, PresenceQuestion, MemberPresence>(
        number: 24, isIdempotent: true, wakes: false)
    /// How does the user look to the members of one of their guilds?
    static let presenceInGuild = Call<UserActor, GuildPresenceQuestion, MemberPresence>(
        number: 29, isIdempotent: true, wakes: false)
    /// Somebody else of a DM has read.
    static let receipt = Call<UserActor, ReceiptNews, Nothing>(number: 25, isIdempotent: true, wakes: false)
    /// The user has sent a message.
    static let sent = Call<UserActor, SentMark, Nothing>(number: 26, isIdempotent: true)
}

/// APIErrors cross between nodes as what they are.
extension APIError: WireFailure {
    public static var failureNumber: UInt16 { 1 }

    public func encode(to writer: inout WireWriter) {
        writer.record { fields in
            fields.signed(status)
            fields.signed(code)
            fields.string(message)
            fields.optional(retryAfter)
            fields.bool(isGlobal)
            fields.bool(form != nil)
            if let form {
                fields.unsigned(UInt(form.entries.count))
                for entry in form.entries {
                    fields.list(entry.path)
                    fields.string(entry.code)
                    fields.string(entry.message)
                }
            }
        }
    }

    public init(from reader: inout WireReader) throws(WireError) {
        self = try reader.record { fields throws(WireError) in
            var error = APIError(status: try fields.signed(), code: try fields.signed(), message: try fields.string())
            error.retryAfter = try fields.optional()
            error.isGlobal = try fields.bool()
            guard try fields.bool() else { return error }
            var form = FormErrors()
            for _ in 0..<(try fields.unsigned(UInt.self)) {
                form.add(try fields.list(), code: try fields.string(), message: try fields.string())
            }
            error.form = form
            return error
        }
    }
}
