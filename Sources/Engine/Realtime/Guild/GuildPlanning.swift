import FluxCore

/// What planning needs beside the guild: the time, new ids, and people whom the guild does not know.
package struct GuildPlanning {
    var now: Timestamp
    /// The users that `GuildState.unknownUsers(in:)` named, those who exist.
    var users: [UserID: User]
    /// The next id; throws `.notCommitted` where the node may mint none.
    var mint: () throws(APIError) -> Snowflake

    package init(now: Timestamp, users: [UserID: User] = [:], mint: @escaping () throws(APIError) -> Snowflake) {
        self.now = now
        self.users = users
        self.mint = mint
    }
}
