import FluxCore
import FluxStore

/// What planning needs beside the state: the time, new ids, and what other keys know.
package struct UserPlanning {
    var now: Timestamp
    /// The accounts that `UserState.unknownUsers` named, those who exist.
    var users: [UserID: User]
    /// Those of them who take no friend requests (`UserSettings.takesFriendRequests` of their stored settings).
    var closedUsers: Set<UserID> = []
    /// The DMs and group DMs that `UserState.unknownChannels` named.
    var directChannels: [ChannelID: Channel] = [:]
    /// Channels that do not exist, or that the user is not in.
    var unreachable: Set<ChannelID> = []
    /// The channel's number of the messages that are acknowledged in them.
    var sequences: [MessageID: SequenceNumber] = [:]
    /// What is stored of the DM whose receipts are asked for.
    var receipts: [Receipt] = []
    /// The next id; throws `.notCommitted` where the node may mint none.
    var mint: () throws(APIError) -> Snowflake

    package init(now: Timestamp, users: [UserID: User] = [:], mint: @escaping () throws(APIError) -> Snowflake) {
        self.now = now
        self.users = users
        self.mint = mint
    }
}
