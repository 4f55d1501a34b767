/// An amount of memory: so many bytes, or a share of what the machine has.
public enum MemoryBudget: Sendable, Hashable {
    /// Bytes.
    case bytes(Int)
    /// Per cent of the machine's memory, 1 to 90.
    case percent(Int)

    /// The amount in bytes on a machine with so much memory.
    public func bytes(ofMemory memory: Int) -> Int {
        switch self {
        case .bytes(let bytes): bytes
        case .percent(let percent): memory / 100 * percent
        }
    }
}
