import FluxCore

extension LoadSession {
    /// Reads a message of the server: a payload, or in batch mode an array of 1 to 64.
    func read(_ bytes: UnsafeRawBufferPointer, at now: UInt64) {
        guard bytes.first == UInt8(ascii: "[") else {
            if readPayload(bytes, from: 0, isAlone: true, at: now) != bytes.count { malformed(bytes, "a payload") }
            return
        }
        guard loop.settings.isBatched else { return malformed(bytes, "an array, though batch mode is off") }
        var position = 1
        var count = 0
        while position < bytes.count {
            guard let end = readPayload(bytes, from: position, isAlone: false, at: now), end < bytes.count else {
                break
            }
            count += 1
            switch bytes[end] {
            case UInt8(ascii: ","): position = end + 1
            case UInt8(ascii: "]") where end + 1 == bytes.count && count <= 64: return
            default: return malformed(bytes, "an array of payloads")
            }
        }
        malformed(bytes, "an array of payloads")
    }

    private func malformed(_ bytes: UnsafeRawBufferPointer, _ what: String) {
        loop.violations.note(
            .malformed, "\(person.name): not \(what): \(String(decoding: bytes.prefix(200), as: UTF8.self))")
    }

    /// Reads the payload that begins at `start`. - Returns: where it ends; nil if it is none.
    private func readPayload(
        _ bytes: UnsafeRawBufferPointer, from start: Int, isAlone: Bool, at now: UInt64
    ) -> Int? {
        if let head = DispatchHead.read(bytes, from: start) {
            return readDispatch(head, bytes, isAlone: isAlone, at: now)
        }
        guard let end = isAlone ? bytes.count : JSONExtent.end(of: bytes, from: start),
            let payload = try? JSON.parse(bytes[start..<end]), let opcode = payload["op"]?.intValue
        else { return nil }
        if opcode == 0 {
            guard let kind = payload["t"]?.stringValue, let sequence = payload["s"]?.intValue, let body = payload["d"]
            else { return nil }
            took(sequence, kind)
            dispatch(kind, body, LogKind(rawValue: kind).flatMap { loop.read($0, body) }, at: now)
        } else {
            take(opcode, payload["d"] ?? .null)
        }
        return end
    }

    /// A dispatch whose head has the usual form. Its body is parsed unless the very same bytes have been.
    private func readDispatch(
        _ head: DispatchHead, _ bytes: UnsafeRawBufferPointer, isAlone: Bool, at now: UInt64
    ) -> Int? {
        let closing = UInt8(ascii: "}")
        if case .known(let end, let event) = loop.bodies.find(bytes, head), end < bytes.count, bytes[end] == closing {
            if sequence?.advance(to: head.sequence) != true {
                took(head.sequence, String(decoding: bytes[head.kind], as: UTF8.self))
            }
            loop.counters.dispatches += 1
            deliver(event, at: now)
            return end + 1
        }
        guard let end = isAlone ? bytes.count - 1 : JSONExtent.end(of: bytes, from: head.body), end < bytes.count,
            end > head.body, bytes[end] == closing, let body = try? JSON.parse(bytes[head.body..<end])
        else { return nil }
        let kind = String(decoding: bytes[head.kind], as: UTF8.self)
        took(head.sequence, kind)
        loop.counters.parsedBodies += 1
        var event: LoggedEvent?
        if let logged = LogKind(rawValue: kind) {
            event = loop.read(logged, body)
            // A retraction says where the retracted stood, which may be known later only.
            if let event, event.place != nil { loop.bodies.remember(bytes, head, end: end, event) }
        }
        dispatch(kind, body, event, at: now)
        return end + 1
    }

    /// Checks the number of a dispatch within the session.
    private func took(_ number: Int, _ kind: String) {
        if kind == "READY" {
            closeSequence()
            sequence = NumberCheck(last: number)
            return
        }
        guard var check = sequence else {
            return loop.violations.note(.malformed, "\(person.name): \(kind) before READY")
        }
        switch check.take(number) {
        case .inOrder, .ahead: break
        case .again: loop.violations.note(.repeatInSession, "\(person.name): s \(number) (\(kind)) came twice")
        case .late: loop.violations.note(.disorderInSession, "\(person.name): s \(number) (\(kind)) came late")
        }
        sequence = check
    }

    /// The session is over: what has not come of it will not.
    func closeSequence() {
        for number in sequence?.missing.sorted() ?? [] {
            loop.violations.note(.gapInSession, "\(person.name): s \(number) never came")
        }
        if let forgotten = sequence?.forgotten, forgotten > 0 {
            loop.violations.note(.gapInSession, "\(person.name): \(forgotten) more numbers of s never came")
        }
        sequence = nil
    }

    private func dispatch(_ kind: String, _ body: JSON, _ event: LoggedEvent?, at now: UInt64) {
        loop.counters.dispatches += 1
        switch kind {
        case "READY": ready(body)
        case "RESUMED": resumed()
        case "GUILD_CREATE": guildCame(body)
        default: if let event { deliver(event, at: now) }
        }
    }

    /// Takes in an event of a channel.
    func deliver(_ event: LoggedEvent, at now: UInt64) {
        guard let slot = slots[event.channel], slot < views.count else { return }
        if event.identity.kind == .created {
            loop.counters.deliveries += 1
            delivered(at: now)
            if let due = event.due { loop.measurement.delivered(due: due, at: now) }
        }
        if let finding = views[slot].take(event) { note(finding, of: event, slot) }
        if views[slot].isOverfull {
            loop.violations.note(.sessionLost, "\(person.name): more came live than can wait for the log")
            for (late, finding) in views[slot].endCatchUp() { note(finding, of: late, slot) }
        }
    }

    func note(_ finding: ChannelView.Finding, of event: LoggedEvent, _ slot: Int) {
        let place = event.place.map { "\($0)" } ?? "no place"
        let text =
            "\(person.name) in channel \(loop.channels.ids[event.channel]): \(event.identity) at \(place), "
            + "holding up to \(views[slot].head); \(views[slot].origin), \(origin)"
        switch finding {
        case .duplicate: loop.violations.note(.duplicate, text)
        case .disorder: loop.violations.note(.disorder, text)
        case .replacedSilently: loop.violations.note(.replacedSilently, text)
        }
    }

    /// A payload that is no dispatch.
    private func take(_ opcode: Int, _ body: JSON) {
        switch opcode {
        case 1: sendHeartbeat()
        case 7: perform(machine.leave(jitter: loop.jitter))
        case 9:
            beganOpening()
            perform(machine.invalidSession(isResumable: body.boolValue ?? false, jitter: loop.jitter))
        case 10:
            guard let interval = body["heartbeat_interval"]?.intValue, interval > 0 else {
                return loop.violations.note(.malformed, "\(person.name): HELLO without heartbeat_interval")
            }
            if loop.settings.isBatched, body["batch"]?.boolValue != true {
                loop.violations.note(.refused, "\(person.name): batch mode was not granted")
            }
            beat(every: interval)
            perform(machine.hello())
        case 11: heartbeatAnswered()
        case 101: acknowledgement(body)
        default: loop.violations.note(.malformed, "\(person.name): a payload of op \(opcode)")
        }
    }
}
