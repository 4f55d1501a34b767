/// One numbered step of the schema, embedded in the program. Once released, a step is never changed: the next one
/// corrects it. Steps expand first and contract a release later, so that two versions of a node can run side by side.
public struct Migration: Sendable {
    /// Counts from 1, without gaps.
    public let number: Int
    /// What it is about; the rest of the file's name.
    public let name: String
    /// The SQL text in UTF-8.
    let sql: [UInt8]
    /// A program that knows the steps up to this one works on a database that has this step: a step that only expands names
    /// the one before it, one that contracts the step from which on nobody uses what it takes away (I10).
    let oldestReader: Int

    /// - Parameter oldestReader: the step before this one unless said otherwise.
    init(_ number: Int, _ name: String, _ sql: [UInt8], oldestReader: Int? = nil) {
        self.number = number
        self.oldestReader = oldestReader ?? number - 1
        self.name = name
        self.sql = sql
    }

    /// Every step that this version knows: the files of the folder `Migrations`, in order.
    public static let all: [Migration] = [
        Migration(1, "cluster", PackageResources._001_cluster_sql),
        Migration(2, "accounts", PackageResources._002_accounts_sql),
        Migration(3, "guilds", PackageResources._003_guilds_sql),
        Migration(4, "messages", PackageResources._004_messages_sql),
        Migration(5, "people", PackageResources._005_people_sql),
        Migration(6, "membership", PackageResources._006_membership_sql),
        Migration(7, "guild_version", PackageResources._007_guild_version_sql),
        Migration(8, "join", PackageResources._008_join_sql),
        Migration(9, "performed_commands", PackageResources._009_performed_commands_sql),
        Migration(10, "closed_after", PackageResources._010_closed_after_sql),
        Migration(11, "void_index", PackageResources._011_void_index_sql),
    ]
}
