import FluxCore
import NIOCore

extension LoadSession {
    /// READY: a session begins. After the first one the logs of channels that have moved are asked for.
    func ready(_ body: JSON) {
        let isFirst = views.isEmpty
        guard machine.ready() else {
            return loop.violations.note(.malformed, "\(person.name): READY was not asked for")
        }
        opened()
        sessionID = body["session_id"]?.stringValue ?? ""
        generation += 1
        let heads = heads(in: body)
        let isPart = body["guilds"]?.arrayValue?.contains { $0["unavailable"]?.boolValue == true } == true
        owed = []
        absent = []
        isAsking = false
        if isFirst {
            views = channelNumbers.map { _ in ChannelView(from: Place(epoch: 0, seq: 0)) }
            unseen = Set(views.indices)
        }
        for (slot, channel) in channelNumbers.enumerated() {
            if let head = heads[channel] {
                shown(slot, at: head)
            } else if isPart {
                // A guild may be without an owner for a moment, when nodes fail or slots move.
                absent.insert(slot)
            } else {
                loop.violations.note(
                    .malformed, "\(person.name): READY does not tell of channel \(loop.channels.ids[channel])")
            }
        }
        if !isFirst { loop.counters.lostSessions += 1 }
        askForLogs()
        sendOpen()
    }

    /// Where a channel stands: what there was before its first sight is not asked for; if it has moved since, its log is owed.
    private func shown(_ slot: Int, at head: Place) {
        if unseen.remove(slot) != nil {
            views[slot] = ChannelView(from: head)
            return
        }
        guard views[slot].head != head || views[slot].isCatchingUp else { return }
        views[slot].beginCatchUp(at: head)
        owed.append(slot)
    }

    /// GUILD_CREATE: a guild that READY called unavailable is there.
    func guildCame(_ body: JSON) {
        guard !absent.isEmpty else { return }
        let heads = heads(in: ["guilds": [body]])
        for slot in absent.sorted() {
            guard let head = heads[channelNumbers[slot]] else { continue }
            absent.remove(slot)
            shown(slot, at: head)
        }
        askForLogs()
    }

    func resumed() {
        let before = machine.resumptions
        guard machine.resumed() else {
            return loop.violations.note(.malformed, "\(person.name): RESUMED was not asked for")
        }
        guard machine.resumptions > before else { return }
        opened()
        loop.counters.resumptions += 1
        askForLogs()
        sendOpen()
    }

    /// Where READY says that each channel stands.
    private func heads(in ready: JSON) -> [Int: Place] {
        let guilds = ready["guilds"]?.arrayValue ?? []
        let channels =
            guilds.flatMap { $0["channels"]?.arrayValue ?? [] } + (ready["private_channels"]?.arrayValue ?? [])
        var heads: [Int: Place] = [:]
        for channel in channels {
            guard let id = channel["id"]?.snowflakeValue, let number = loop.channels.number(of: id.rawValue),
                let seq = channel["last_seq"]?.intValue, let epoch = channel["epoch"]?.intValue
            else { continue }
            heads[number] = Place(epoch: epoch, seq: seq)
        }
        return heads
    }

    // MARK: Catching up

    /// Asks for the logs that are owed, up to 100 channels a call, until all have been read (protocol 10.5).
    func askForLogs() {
        guard !isAsking, !owed.isEmpty else { return }
        isAsking = true
        let slots = Array(owed.prefix(100))
        var body = JSONWriter()
        body.beginObject()
        body.key("channels")
        body.beginArray()
        for slot in slots {
            let head = views[slot].head
            body.beginObject()
            body.field("id", Snowflake(loop.channels.ids[channelNumbers[slot]]))
            body.field("after_seq", head.seq)
            body.field("epoch", head.epoch)
            body.endObject()
        }
        body.endArray()
        body.endObject()
        let request = RESTRequest(
            method: .POST, path: "/api/v10/channels/events", token: person.token, body: body.bytes)
        let asked = generation
        loop.rest.send(request, to: loop.nextTarget()).assumeIsolated().whenComplete { [weak self] result in
            guard let self, asked == self.generation else { return }
            self.isAsking = false
            self.logsCame(slots, result)
        }
    }

    private func logsCame(_ slots: [Int], _ result: Result<RESTAnswer, any Error>) {
        switch result {
        case .success(let answer) where answer.status == 200:
            let pages = answer.json["channels"]?.arrayValue ?? []
            var byID: [UInt64: JSON] = [:]
            for page in pages { if let id = page["id"]?.snowflakeValue { byID[id.rawValue] = page } }
            for slot in slots {
                guard let page = byID[loop.channels.ids[channelNumbers[slot]]], page["events"] != nil else {
                    loop.violations.note(.refused, "\(person.name): no log of a channel in \(answer.summary)")
                    finishCatchUp(slot)
                    continue
                }
                if takePage(page, slot) { finishCatchUp(slot) }
            }
            askForLogs()
        case .success(let answer) where answer.status < 500 && answer.status != 429:
            loop.violations.note(.refused, "\(person.name): the logs of channels: \(answer.summary)")
            for slot in slots { finishCatchUp(slot) }
        case .success(let answer):
            loop.counters.failures += 1
            askAgain(after: answer.json["retry_after"]?.doubleValue ?? 0.2)
        case .failure(let failure):
            if failure as? RESTFailure == .unanswered { loop.counters.failures += 1 }
            askAgain(after: 0.1)
        }
    }

    private func askAgain(after seconds: Double) {
        loop.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(Int64(max(0.1, seconds) * 1_000))) {
            [weak self] in
            self?.askForLogs()
        }
    }

    /// - Returns: whether the log has been read up to where it stands.
    private func takePage(_ page: JSON, _ slot: Int) -> Bool {
        let channel = channelNumbers[slot]
        let words = "\(person.name), the log of channel \(loop.channels.ids[channel])"
        if let standing = page["rolled_back_to"]?.intValue { views[slot].rollBack(to: standing) }
        if page["truncated"]?.boolValue != false { loop.violations.note(.lost, "\(words) is truncated") }
        let events = page["events"]?.arrayValue ?? []
        for event in events {
            guard let kind = event["t"]?.stringValue.flatMap(LogKind.init), let body = event["d"],
                let logged = loop.read(kind, body), let place = logged.place
            else {
                loop.violations.note(.malformed, "\(words): an entry \(LoadLoop.short(event))")
                continue
            }
            if !views[slot].takeLogged(place) {
                loop.violations.note(.unorderedLog, "\(words): \(place) after \(views[slot].head)")
            }
        }
        return events.isEmpty || views[slot].head.seq >= (page["last_seq"]?.intValue ?? 0)
    }

    private func finishCatchUp(_ slot: Int) {
        owed.removeAll { $0 == slot }
        for (event, finding) in views[slot].endCatchUp() { note(finding, of: event, slot) }
    }
}
