import FluxCore

/// What a gateway session has been told, and whether it could have been told so (protocol 7.5, 10.5): `s` grows by one,
/// also across a resume; in each channel `seq` grows by one within an epoch, epochs never shrink, and no message is
/// announced twice.
struct DispatchLedger {
    /// One dispatch.
    struct Dispatch: Sendable {
        let kind: String
        let sequence: Int
        let data: JSON
    }

    private struct ChannelHead {
        var epoch: Int
        var seq: Int
    }

    /// Everything, in the order it came.
    private(set) var dispatches: [Dispatch] = []
    /// What broke a rule, in words. Empty at the end of every test.
    private(set) var violations: [String] = []
    /// The last `s`; nil before READY.
    private(set) var lastSequence: Int?

    private var heads: [String: ChannelHead] = [:]
    private var messages: Set<String> = []
    /// A bot whose intents leave out message events sees gaps (protocol 10.5).
    var expectsDenseChannels = true

    mutating func record(_ dispatch: Dispatch) {
        dispatches.append(dispatch)
        if dispatch.kind == "READY" {
            heads = [:]
        } else if let lastSequence, dispatch.sequence != lastSequence + 1 {
            violations.append("\(dispatch.kind) has s \(dispatch.sequence) after \(lastSequence)")
        }
        lastSequence = dispatch.sequence
        checkChannel(dispatch)
        if dispatch.kind == "MESSAGE_CREATE", let id = dispatch.data["id"]?.stringValue, !messages.insert(id).inserted {
            violations.append("message \(id) was announced twice")
        }
    }

    mutating func note(violation: String) {
        violations.append(violation)
    }

    private mutating func checkChannel(_ dispatch: Dispatch) {
        guard expectsDenseChannels, let channel = dispatch.data["channel_id"]?.stringValue,
            let seq = dispatch.data["seq"]?.intValue, let epoch = dispatch.data["epoch"]?.intValue
        else { return }
        // READ_RECEIPT names the seq of another event.
        guard dispatch.kind.hasPrefix("MESSAGE_"), dispatch.kind != "MESSAGE_ACK" else { return }
        let next = ChannelHead(epoch: epoch, seq: seq)
        guard let head = heads.updateValue(next, forKey: channel) else { return }
        let goesOn = epoch == head.epoch ? seq == head.seq + 1 : epoch > head.epoch && seq <= head.seq + 1
        if !goesOn {
            violations.append(
                "channel \(channel): \(dispatch.kind) has (\(epoch), \(seq)) after (\(head.epoch), \(head.seq))")
        }
    }
}
