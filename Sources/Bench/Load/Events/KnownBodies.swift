/// Bodies that have been parsed, so that the same bytes need not be parsed again for every session that is sent them.
///
/// A body is known only if every byte is the same, so each delivery counts as read in full. A table of fixed size: a new
/// body takes the place of the one that had its slot.
struct KnownBodies {
    private struct Entry {
        /// From the name of the kind to the end of the body.
        let bytes: [UInt8]
        let event: LoggedEvent
    }

    enum Finding {
        /// Known, and where it ends.
        case known(end: Int, LoggedEvent)
        case unknown
    }

    private static let slots = 4_096
    /// How many bytes choose the slot. A message's own id is among the first.
    private static let keyLength = 32

    private var entries = [Entry?](repeating: nil, count: slots)

    /// Looks whether a known dispatch has this head. - Parameter head: the name of the kind belongs to what has to be the same.
    func find(_ bytes: UnsafeRawBufferPointer, _ head: DispatchHead) -> Finding {
        let start = head.kind.lowerBound
        guard let slot = Self.slot(bytes, at: head.body), let entry = entries[slot],
            bytes.count - start >= entry.bytes.count
        else { return .unknown }
        let isSame = entry.bytes.withUnsafeBytes { known in
            UnsafeRawBufferPointer(rebasing: bytes[start..<start + known.count]).elementsEqualFast(known)
        }
        return isSame ? .known(end: start + entry.bytes.count, entry.event) : .unknown
    }

    /// Remembers what a body says that ends at `end`.
    mutating func remember(_ bytes: UnsafeRawBufferPointer, _ head: DispatchHead, end: Int, _ event: LoggedEvent) {
        guard let slot = Self.slot(bytes, at: head.body) else { return }
        entries[slot] = Entry(bytes: Array(bytes[head.kind.lowerBound..<end]), event: event)
    }

    private static func slot(_ bytes: UnsafeRawBufferPointer, at start: Int) -> Int? {
        guard bytes.count - start >= keyLength else { return nil }
        var hash: UInt64 = 0
        for index in stride(from: start, to: start + keyLength, by: 8) {
            hash = (hash ^ bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)) &* 0x9E37_79B9_7F4A_7C15
            hash ^= hash >> 29
        }
        return Int(hash & UInt64(slots - 1))
    }
}
