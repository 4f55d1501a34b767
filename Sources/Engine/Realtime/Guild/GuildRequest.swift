import FluxCore

/// A command with what is needed to plan it.
struct GuildRequest {
    let command: GuildCommand
    let planning: GuildPlanning

    init(_ command: GuildCommand, _ planning: GuildPlanning) {
        self.command = command
        self.planning = planning
    }

    var now: Timestamp { planning.now }
    var callerID: UserID { command.caller.userID }
    var body: JSON { command.body }

    /// The reason, cut to what is kept.
    var reason: String? {
        command.reason.map { String(String.UnicodeScalarView($0.unicodeScalars.prefix(GuildLimits.reason))) }
    }

    /// The body as an object; a missing one counts as an empty one.
    var reader: BodyReader { BodyReader(body == .null ? .object(JSONObject()) : body) }

    func mint() throws(APIError) -> Snowflake { try planning.mint() }
}
