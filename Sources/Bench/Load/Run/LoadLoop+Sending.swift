import FluxCore
import NIOCore

extension LoadLoop {
    /// Begins a step of the load.
    func begin(_ schedule: SendSchedule, senders: [(session: Int, channels: [Int])], measuringFrom from: UInt64) {
        self.schedule = schedule
        self.senders = senders.map { (sessions[$0.session], $0.channels, 0) }
        measurement = StepMeasurement(from: from)
    }

    /// Sends what is due. What a sender cannot send now waits in its session, and its due time counts.
    func sendDue(at now: UInt64) {
        while let (sender, due) = schedule?.take(at: now) {
            let channels = senders[sender].channels
            let channel = channels[senders[sender].next % channels.count]
            senders[sender].next += 1
            let session = senders[sender].session
            records.append(SendRecord(channel: channel, sender: session.number, due: due))
            counters.sends += 1
            unsettled += 1
            measurement.sent(due: due, at: now)
            send(records.count - 1, by: settings.route)
        }
    }

    /// Sends a record, again if it has been sent before.
    func send(_ index: Int, by route: SendRoute) {
        switch route {
        case .gateway: sessions[records[index].sender].send(index)
        case .rest: sendOverREST(index)
        }
    }

    /// Notes that a record leaves. - Returns: its text.
    func leaving(_ index: Int, at now: UInt64) -> String {
        if records[index].attempts > 0 { counters.repeats += 1 }
        records[index].attempts += 1
        records[index].sentAt = now
        return MessageText.make(due: records[index].due, size: settings.textSize)
    }

    // MARK: REST

    private func sendOverREST(_ index: Int) {
        let record = records[index]
        let text = leaving(index, at: Clock.now)
        var body = JSONWriter(capacity: text.utf8.count + 100)
        body.beginObject()
        body.field("content", text)
        body.field("nonce", nonce.text(index))
        body.field("enforce_nonce", true)
        body.endObject()
        let request = RESTRequest(
            method: .POST, path: "/api/v10/channels/\(channels.ids[record.channel])/messages",
            token: sessions[record.sender].person.token, body: body.bytes)
        let target =
            record.attempts == 0 ? settings.targets[record.sender % settings.targets.count] : nextTarget()
        rest.send(request, to: target).assumeIsolated().whenComplete { [weak self] result in
            self?.answered(index, result)
        }
    }

    private func answered(_ index: Int, _ result: Result<RESTAnswer, any Error>) {
        switch result {
        case .success(let answer) where answer.status == 200 || answer.status == 201:
            let body = answer.json
            guard let id = body["id"]?.snowflakeValue, let seq = body["seq"]?.intValue else {
                return violations.note(.malformed, "a message without id or seq: \(answer.summary)")
            }
            acknowledged(index, id: id.rawValue, seq: seq)
        case .success(let answer):
            let pause = answer.json["retry_after"]?.doubleValue ?? 0
            switch answer.status {
            case 429, 503: failed(index, .nothingStored, answer.summary, retryAfter: pause)
            case 500...599: failed(index, .unknown, answer.summary, retryAfter: pause)
            default: failed(index, .forGood, answer.summary, retryAfter: 0)
            }
        case .failure(RESTFailure.unreachable):
            // Nothing was sent: the next node is asked.
            retries.append((Clock.now + 50_000_000, index))
        case .failure(let error):
            failed(index, .unknown, "\(error)", retryAfter: 0)
        }
    }

    // MARK: Answers

    enum Fate {
        /// The contract says that nothing of it is stored, and a repeat may succeed.
        case nothingStored
        case unknown
        /// It will not be accepted.
        case forGood
    }

    /// A send is durable.
    func acknowledged(_ index: Int, id: UInt64, seq: Int) {
        let record = records[index]
        if case .acknowledged(let firstID, let firstSeq) = record.state {
            counters.repeatsAnswered += 1
            if record.route != nil {
                records[index].route = nil
                openRepeats -= 1
            }
            if firstID != id || firstSeq != seq {
                violations.note(
                    .repeatDiffers,
                    "\(nonce.text(index)) in channel \(channels.ids[record.channel]) was first answered with \(firstID) at "
                        + "\(firstSeq), then with \(id) at \(seq)")
            }
            return
        }
        let now = Clock.now
        records[index].state = .acknowledged(id: id, seq: seq)
        unsettled -= 1
        counters.acknowledgements += 1
        measurement.acknowledged(due: record.due, at: now)
        acknowledgedSeqs[record.channel] = max(acknowledgedSeqs[record.channel], seq)
        acknowledgedAt[record.channel].append(now)
    }

    /// A send was answered with an error, or not at all.
    func failed(_ index: Int, _ fate: Fate, _ words: @autoclosure () -> String, retryAfter: Double) {
        counters.failures += 1
        if case .acknowledged = records[index].state {
            // A repeat of what is durable failed: it is made again, until it is answered.
            retries.append((Clock.now + 300_000_000, index))
            return
        }
        switch fate {
        case .forGood:
            violations.note(.refused, "\(nonce.text(index)): \(words())")
            settle(index, .refused)
        case .nothingStored, .unknown:
            guard settings.repeats else {
                return settle(index, fate == .unknown ? .unknown : .refused)
            }
            let now = Clock.now
            guard Clock.elapsed(records[index].due, now) < UInt64(LoadSettings.patienceSeconds * 1e9) else {
                violations.note(.neverAcknowledged, "\(nonce.text(index)), \(record(index)): \(words())")
                return settle(index, .unknown)
            }
            retries.append((now + UInt64(max(0.2, retryAfter) * 1e9), index))
        }
    }

    private func record(_ index: Int) -> String { "tried \(records[index].attempts) times" }

    private func settle(_ index: Int, _ state: SendRecord.State) {
        records[index].state = state
        unsettled -= 1
    }

    /// Makes the sends again whose time has come.
    func retryDue(at now: UInt64) {
        guard !retries.isEmpty else { return }
        let due = retries.filter { $0.at <= now }
        retries.removeAll { $0.at <= now }
        for retry in due { send(retry.index, by: records[retry.index].route ?? settings.route) }
    }
}
