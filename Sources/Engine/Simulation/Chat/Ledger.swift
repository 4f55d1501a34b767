import FluxCore

/// What owners have decided and clients were told, in one place, so that it can be compared.
struct Ledger {
    /// One entry of a channel's log, as an owner decided it.
    struct Decision {
        enum Kind: UInt8 { case create, update, delete, takeBack }

        let kind: Kind
        let channel: ChannelID
        let sequence: SequenceNumber
        let epoch: Epoch
        let message: MessageID
    }

    private(set) var decisions: [Decision] = []

    /// The number under which the decision is found again; it is what the event's body and the message's text are made of.
    mutating func add(_ decision: Decision) -> Int {
        decisions.append(decision)
        return decisions.count - 1
    }

    static func body(_ number: Int) -> [UInt8] {
        withUnsafeBytes(of: UInt64(number).littleEndian) { Array($0) }
    }

    /// The decision that an event's body names; nil for a body of another kind.
    static func number(in body: [UInt8]) -> Int? {
        guard body.count == 8 else { return nil }
        var number: UInt64 = 0
        for byte in body.reversed() { number = number << 8 | UInt64(byte) }
        return Int(exactly: number)
    }
}
