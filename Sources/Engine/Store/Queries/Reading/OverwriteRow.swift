import FluxCore

/// An overwrite in a row.
enum OverwriteRow {
    /// The columns of `overwrites o`.
    static let columns = "o.channel_id, o.target_id, o.target_kind, o.allow_bits, o.deny_bits"

    static func read(_ row: Row) throws(StoreError) -> (channelID: ChannelID, overwrite: Overwrite) {
        let kind: Int = try row.integer(2)
        guard let kind = Overwrite.Kind(rawValue: kind) else { throw .corrupt("overwrite of kind \(kind)") }
        let overwrite = Overwrite(
            id: try row.id(1), kind: kind, allow: Permissions(rawValue: UInt64(bitPattern: try row.int(3))),
            deny: Permissions(rawValue: UInt64(bitPattern: try row.int(4))))
        return (try row.id(0), overwrite)
    }
}
