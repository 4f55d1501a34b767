import FluxCore
import FluxStore

/// What owners have decided and clients were told, in one place, so that it can be compared.
struct Ledger {
    /// One entry of a channel's log, as an owner decided it.
    struct Decision {
        enum Kind: UInt8 { case create, update, delete, takeBack, react, unreact }

        let kind: Kind
        let channel: ChannelID
        let sequence: SequenceNumber
        let epoch: Epoch
        let message: MessageID
    }

    private(set) var decisions: [Decision] = []
    /// By decision: the place of its message among those of its channel. A client is shown each decision, and finds by it what
    /// it shows of the message without hashing.
    private(set) var places: [Int] = []
    /// The messages of each channel that anything was decided about, in the order of their first decisions.
    private(set) var messages: [ChannelID: [MessageID]] = [:]
    /// By decision: when it was made.
    private(set) var times: [Duration] = []
    /// Of decisions about a reaction: which.
    var reactions: [Int: ReactionFold.Key] = [:]
    /// Changes of members who had been told that they may not do that any more.
    var afterTaking: Set<Int> = []
    private var placesOfMessages: [MessageID: Int] = [:]

    /// The number under which the decision is found again; it is what the event's body and the message's text are made of.
    mutating func add(_ decision: Decision, at time: Duration) -> Int {
        decisions.append(decision)
        times.append(time)
        places.append(place(of: decision))
        return decisions.count - 1
    }

    private mutating func place(of decision: Decision) -> Int {
        if decision.kind != .create, let place = placesOfMessages[decision.message] { return place }
        let place = messages[decision.channel, default: []].count
        messages[decision.channel, default: []].append(decision.message)
        placesOfMessages[decision.message] = place
        return place
    }

    /// Where the message stands; nil for one about which nothing was decided.
    func place(of message: MessageID) -> Int? { placesOfMessages[message] }

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
