import FluxCore

extension LoadSession {
    /// Sends a record, now or as soon as there is a session.
    func send(_ index: Int) {
        open.append(index)
        if isLive { write(index) }
    }

    /// After a connection was lost: everything without an answer leaves again, under its nonce.
    func sendOpen() {
        for index in open where !onWire.contains(index) { write(index) }
    }

    func write(_ index: Int) {
        let record = loop.records[index]
        let text = loop.leaving(index, at: Clock.now)
        var payload = JSONWriter(capacity: text.utf8.count + 160)
        payload.beginObject()
        payload.field("op", 100)
        payload.key("d")
        payload.beginObject()
        payload.field("channel_id", Snowflake(loop.channels.ids[record.channel]))
        payload.field("nonce", loop.nonce.text(index))
        payload.field("content", text)
        payload.endObject()
        payload.endObject()
        onWire.append(index)
        connection?.put(payload.bytes)
        markDirty()
    }

    /// Op 101.
    func acknowledgement(_ body: JSON) {
        guard let nonce = body["nonce"]?.stringValue, let index = loop.nonce.index(nonce), index < loop.records.count,
            loop.records[index].sender == number
        else {
            return loop.violations.note(.malformed, "\(person.name): an answer to nothing: \(LoadLoop.short(body))")
        }
        let channel = loop.records[index].channel
        if onWire.contains(index) {
            // Answers of one connection and channel come in the order of its sends (protocol 10.2). Of what was sent over
            // another connection before, that one's answer may come as well.
            let first = onWire.first { loop.records[$0].channel == channel && loop.records[$0].attempts == 1 }
            if let first, first != index, loop.records[index].attempts == 1 {
                loop.violations.note(
                    .disorderedAnswers, "\(person.name): \(nonce) was answered before \(loop.nonce.text(first))")
            }
            onWire.remove(at: onWire.firstIndex(of: index) ?? 0)
        }
        if let place = open.firstIndex(of: index) { open.remove(at: place) }
        if let id = body["id"]?.snowflakeValue, let seq = body["seq"]?.intValue {
            return loop.acknowledged(index, id: id.rawValue, seq: seq)
        }
        let error = body["error"] ?? .null
        let pause = error["retry_after"]?.doubleValue
        // Who is told to come again may have been heard the first time: its owner died, and the next one could not be asked.
        let fate: LoadLoop.Fate =
            switch error["code"]?.intValue {
            case 130_000, 429: .nothingStored
            default: pause == nil ? .forGood : .unknown
            }
        loop.failed(index, fate, LoadLoop.short(body), retryAfter: pause ?? 0)
    }
}
