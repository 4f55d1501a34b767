/// A refusal as a client sees it: an HTTP status and the body of protocol 3.5.
public struct APIError: Error, Sendable, Equatable {
    /// The HTTP status.
    public var status: Int
    /// The code of the table of protocol 3.5; 0 where it has none.
    public var code: Int
    /// A sentence for people.
    public var message: String
    /// What is wrong with which field, with code 50035.
    public var form: FormErrors?
    /// Seconds after which a repeat may succeed: with 429 in the body, with 503 in a header.
    public var retryAfter: Double?
    /// Whether a 429 is that of the global limit.
    public var isGlobal: Bool

    public init(
        status: Int, code: Int, message: String, form: FormErrors? = nil, retryAfter: Double? = nil,
        isGlobal: Bool = false
    ) {
        self.status = status
        self.code = code
        self.message = message
        self.form = form
        self.retryAfter = retryAfter
        self.isGlobal = isGlobal
    }

    /// The JSON body.
    public func encoded() -> [UInt8] {
        var writer = JSONWriter()
        write(to: &writer)
        return writer.bytes
    }

    /// Writes the JSON body.
    public func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.field("message", message)
        if status == 429 {
            writer.key("retry_after")
            writer.double(retryAfter ?? 1)
            writer.field("global", isGlobal)
        } else {
            writer.field("code", code)
        }
        if let form {
            writer.key("errors")
            form.write(to: &writer)
        }
        writer.endObject()
    }
}

extension APIError {
    /// 400/50035 with one complaint.
    public static func form(_ path: [String], code: String, message: String) -> APIError {
        form(FormErrors([FormErrors.Entry(path: path, code: code, message: message)]))
    }

    /// 400/50035 with the complaints gathered.
    public static func form(_ errors: FormErrors) -> APIError {
        APIError(status: 400, code: 50035, message: "Invalid Form Body", form: errors)
    }

    /// 429: try again after so many seconds.
    public static func rateLimited(retryAfter: Double, isGlobal: Bool = false) -> APIError {
        APIError(
            status: 429, code: 429, message: "You are being rate limited.", retryAfter: retryAfter, isGlobal: isGlobal)
    }
}

/// Every row of the table of protocol 3.5.
extension APIError {
    public static let unauthorized = APIError(status: 401, code: 0, message: "401: Unauthorized")
    public static let notFound = APIError(status: 404, code: 0, message: "404: Not Found")
    public static let methodNotAllowed = APIError(status: 405, code: 0, message: "405: Method Not Allowed")

    public static let unknownApplication = APIError(status: 404, code: 10002, message: "Unknown Application")
    public static let unknownChannel = APIError(status: 404, code: 10003, message: "Unknown Channel")
    public static let unknownGuild = APIError(status: 404, code: 10004, message: "Unknown Guild")
    public static let unknownIntegration = APIError(status: 404, code: 10005, message: "Unknown Integration")
    public static let unknownInvite = APIError(status: 404, code: 10006, message: "Unknown Invite")
    public static let unknownMember = APIError(status: 404, code: 10007, message: "Unknown Member")
    public static let unknownMessage = APIError(status: 404, code: 10008, message: "Unknown Message")
    public static let unknownOverwrite = APIError(status: 404, code: 10009, message: "Unknown Overwrite")
    public static let unknownProvider = APIError(status: 404, code: 10010, message: "Unknown Provider")
    public static let unknownRole = APIError(status: 404, code: 10011, message: "Unknown Role")
    public static let unknownUser = APIError(status: 404, code: 10013, message: "Unknown User")
    public static let unknownEmoji = APIError(status: 404, code: 10014, message: "Unknown Emoji")
    public static let unknownWebhook = APIError(status: 404, code: 10015, message: "Unknown Webhook")
    public static let unknownBan = APIError(status: 404, code: 10026, message: "Unknown Ban")
    public static let unknownInteraction = APIError(status: 404, code: 10062, message: "Unknown Interaction")
    public static let unknownCommand = APIError(status: 404, code: 10063, message: "Unknown Application Command")

    public static let onlyPeople = APIError(status: 403, code: 20001, message: "Bots cannot use this endpoint")
    public static let onlyBots = APIError(status: 403, code: 20002, message: "Only bots can use this endpoint")

    public static let notCommitted = APIError(
        status: 503, code: 130000, message: "The write could not be committed in time. Nothing was stored.",
        retryAfter: 1)

    public static let tooManyGuilds = APIError(status: 400, code: 30001, message: "Maximum number of guilds reached")
    public static let tooManyPins = APIError(
        status: 400, code: 30003, message: "Maximum number of pins reached for the channel (50)")
    public static let tooManyRoles = APIError(
        status: 400, code: 30005, message: "Maximum number of guild roles reached (250)")
    public static let tooManyReactions = APIError(
        status: 400, code: 30010, message: "Maximum number of reactions reached (20)")
    public static let tooManyChannels = APIError(
        status: 400, code: 30013, message: "Maximum number of guild channels reached (500)")

    public static let bannedFromGuild = APIError(
        status: 403, code: 40007, message: "The user is banned from this guild")
    public static let requestTooLarge = APIError(status: 413, code: 40005, message: "Request entity too large")
    public static let interactionAnswered = APIError(
        status: 400, code: 40060, message: "Interaction has already been acknowledged")
    public static let crossOrigin = APIError(
        status: 403, code: 40333, message: "Cross-origin requests cannot use cookies")

    public static let missingAccess = APIError(status: 403, code: 50001, message: "Missing Access")
    public static let notInDirectMessage = APIError(
        status: 403, code: 50003, message: "Cannot execute action on a DM channel")
    public static let notAuthor = APIError(
        status: 403, code: 50005, message: "Cannot edit a message authored by another user")
    public static let emptyMessage = APIError(status: 400, code: 50006, message: "Cannot send an empty message")
    public static let cannotMessageUser = APIError(
        status: 403, code: 50007, message: "Cannot send messages to this user")
    public static let missingPermissions = APIError(status: 403, code: 50013, message: "Missing Permissions")
    public static let bulkDeleteCount = APIError(
        status: 400, code: 50016, message: "Provide at least 2 and at most 100 messages to delete")
    public static let wrongChannelKind = APIError(
        status: 403, code: 50024, message: "Cannot execute action on this channel type")
    public static let invalidRecipients = APIError(status: 400, code: 50033, message: "Invalid Recipient(s)")
    public static let bulkDeleteTooOld = APIError(
        status: 400, code: 50034, message: "A message provided was too old to bulk delete")
    public static let notJSON = APIError(
        status: 400, code: 50109, message: "The request body contains invalid JSON.")

    public static let friendRequestsClosed = APIError(
        status: 400, code: 80000, message: "Incoming friend requests disabled.")
    public static let friendRequestBlocked = APIError(status: 400, code: 80001, message: "Friend request blocked.")
    public static let friendRequestToSelf = APIError(
        status: 400, code: 80003, message: "Cannot send friend request to self.")
    public static let friendRequestUnknownUser = APIError(
        status: 400, code: 80004, message: "No users with that username exist.")

    public static let internalFailure = APIError(status: 500, code: 0, message: "500: Internal Server Error")
    public static let serviceUnavailable = APIError(
        status: 503, code: 0, message: "503: Service Unavailable", retryAfter: 1)
}
