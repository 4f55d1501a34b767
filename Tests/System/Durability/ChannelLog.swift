import FluxCore

/// A channel as the server tells it in the end: its event log and its history, each read whole.
struct ChannelLog: Sendable {
    struct Message: Sendable, Equatable {
        let id: String
        let seq: Int
        let epoch: Int
        let author: String
        let nonce: String?
    }

    let channel: String
    /// By seq.
    let entries: [Int: ChannelView.Entry]
    let lastSeq: Int
    /// The history, oldest first.
    let messages: [Message]

    /// Reads both through the pages that clients read.
    static func read(_ channel: String, with client: HTTPClient) async throws -> ChannelLog {
        var entries: [Int: ChannelView.Entry] = [:]
        var (after, lastSeq) = (0, 0)
        while true {
            let page = try await body(
                of: client, "/api/v10/channels/\(channel)/events?after_seq=\(after)&limit=500")
            let events = page["events"]?.arrayValue ?? []
            lastSeq = page["last_seq"]?.intValue ?? 0
            for event in events {
                guard let kind = event["t"]?.stringValue, let data = event["d"], let seq = data["seq"]?.intValue,
                    let epoch = data["epoch"]?.intValue
                else { throw HarnessError("an event of \(channel) without t, seq or epoch: \(event)") }
                guard seq > after else { throw HarnessError("event \(seq) of \(channel) after \(after)") }
                entries[seq] = ChannelView.Entry(epoch: epoch, kind: kind, messageID: data["id"]?.stringValue)
                after = seq
            }
            if events.count < 500 { break }
        }
        return ChannelLog(
            channel: channel, entries: entries, lastSeq: lastSeq, messages: try await history(of: channel, client))
    }

    private static func history(of channel: String, _ client: HTTPClient) async throws -> [Message] {
        var newestFirst: [Message] = []
        while true {
            let cursor = newestFirst.last.map { "&before=\($0.id)" } ?? ""
            let page = try await body(of: client, "/api/v10/channels/\(channel)/messages?limit=100" + cursor)
            for message in page.arrayValue ?? [] {
                guard let id = message["id"]?.stringValue, let seq = message["seq"]?.intValue,
                    let epoch = message["epoch"]?.intValue, let author = message["author"]?["id"]?.stringValue
                else { throw HarnessError("a message of \(channel) without id, seq, epoch or author: \(message)") }
                newestFirst.append(
                    Message(id: id, seq: seq, epoch: epoch, author: author, nonce: message["nonce"]?.stringValue))
            }
            if (page.arrayValue?.count ?? 0) < 100 { return newestFirst.reversed() }
        }
    }

    private static func body(of client: HTTPClient, _ path: String) async throws -> JSON {
        let answer = try await client.send(.GET, path)
        guard answer.status == 200 else { throw HarnessError("GET \(path): \(answer.status) \(answer.text)") }
        return answer.body
    }

    /// What is wrong with it by itself (I2), and against what was acknowledged (I3, I4).
    func violations(of ledger: SendLedger, allowingVoids: Bool = false) -> [String] {
        order(allowingVoids: allowingVoids) + against(ledger)
    }

    private func order(allowingVoids: Bool) -> [String] {
        var found: [String] = []
        if !allowingVoids {
            for seq in 1..<(lastSeq + 1) where entries[seq] == nil { found.append("\(channel): nothing at seq \(seq)") }
        }
        if let greatest = entries.keys.max(), greatest > lastSeq {
            found.append("\(channel): an event of seq \(greatest), last_seq \(lastSeq)")
        }
        var epoch = 0
        for (seq, entry) in entries.sorted(by: { $0.key < $1.key }) {
            if entry.epoch < epoch { found.append("\(channel): seq \(seq) is of epoch \(entry.epoch) after \(epoch)") }
            epoch = entry.epoch
        }
        for (one, next) in zip(messages, messages.dropFirst()) {
            let ids = (UInt64(one.id) ?? 0, UInt64(next.id) ?? 0)
            if ids.0 >= ids.1 || one.seq >= next.seq { found.append("\(channel): \(one) before \(next)") }
        }
        let created = Dictionary(
            uniqueKeysWithValues: messages.map {
                ($0.seq, ChannelView.Entry(epoch: $0.epoch, kind: "MESSAGE_CREATE", messageID: $0.id))
            })
        if created != entries.filter({ $0.value.kind == "MESSAGE_CREATE" }) {
            found.append("\(channel): history and log do not hold the same messages")
        }
        return found
    }

    private func against(_ ledger: SendLedger) -> [String] {
        var stored: [SendLedger.Send: [Message]] = [:]
        for message in messages {
            guard let nonce = message.nonce else { continue }
            stored[.init(author: message.author, channel: channel, nonce: nonce), default: []].append(message)
        }
        var found: [String] = []
        for (send, copies) in stored where copies.count > 1 { found.append("\(send.nonce) is stored twice: \(copies)") }
        for (send, answer) in ledger.answers where send.channel == channel {
            guard let message = stored[send]?.first else {
                found.append("LOST: \(send) was acknowledged as \(answer)")
                continue
            }
            if message.id != answer.id || message.seq != answer.seq {
                found.append("\(send) was acknowledged as \(answer) and is \(message)")
            }
        }
        return found
    }
}
