import FluxCore

/// What a change of one key means for another (I11), as it waits for the other key's owner.
public struct OutboxEntry: Sendable, Equatable {
    /// Minted by the sender, growing: the order in which its entries are to be applied.
    public var id: Snowflake
    /// The sort of actor it is for; the store does not know what the numbers mean.
    public var targetKind: UInt8
    /// That actor's key; its slot is `Slot(of: targetKey)` unless said otherwise.
    public var targetKey: Snowflake
    /// The slot whose owner has to apply it.
    public var targetSlot: Slot
    public var createdAt: Timestamp
    /// What it says, in the form that sender and target agree on.
    public var payload: [UInt8]

    public init(
        id: Snowflake, targetKind: UInt8, targetKey: Snowflake, targetSlot: Slot? = nil, createdAt: Timestamp,
        payload: [UInt8]
    ) {
        self.id = id
        self.targetKind = targetKind
        self.targetKey = targetKey
        self.targetSlot = targetSlot ?? Slot(of: targetKey)
        self.createdAt = createdAt
        self.payload = payload
    }
}
