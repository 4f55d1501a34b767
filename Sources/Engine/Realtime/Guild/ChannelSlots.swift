import FluxCore

/// Gives each channel of a guild a small number while it exists, so that sets of channels are bits and tables are arrays.
struct ChannelSlots: Sendable {
    private(set) var channels: [ChannelID?] = []
    private var indices: [ChannelID: Int] = [:]
    private var free: [Int] = []

    /// The table's length: one more than the greatest number given.
    var count: Int { channels.count }

    func index(of id: ChannelID) -> Int? { indices[id] }

    /// - Returns: the new channel's number, one that is free if there is any.
    mutating func insert(_ id: ChannelID) -> Int {
        if let index = indices[id] { return index }
        let index = free.popLast() ?? channels.count
        if index == channels.count { channels.append(nil) }
        channels[index] = id
        indices[id] = index
        return index
    }

    /// - Returns: the number that became free.
    mutating func remove(_ id: ChannelID) -> Int? {
        guard let index = indices.removeValue(forKey: id) else { return nil }
        channels[index] = nil
        free.append(index)
        return index
    }
}
