import FluxCore

/// Reads a channel's log and history whole, through the pages that clients read (protocol 5.5, 10.5).
struct ChannelReader {
    let run: LoadRun
    let channel: Int
    /// Somebody who may read it.
    let token: String

    private var id: UInt64 { run.channels.ids[channel] }

    func read(after base: Int) async throws -> ChannelRecord {
        var record = ChannelRecord(channel: channel, base: base)
        try await readLog(into: &record)
        try await readHistory(into: &record)
        return record
    }

    private func readLog(into record: inout ChannelRecord) async throws {
        var after = record.base
        while true {
            let page = try await page("/api/v10/channels/\(id)/events?after_seq=\(after)&limit=500")
            record.lastSeq = page["last_seq"]?.intValue ?? record.lastSeq
            let events = page["events"]?.arrayValue ?? []
            if page["truncated"]?.boolValue != false {
                record.complaints.append(
                    Violation(.unorderedLog, "the log of channel \(id) is truncated after \(after)"))
            }
            for event in events {
                guard let kind = event["t"]?.stringValue.flatMap(LogKind.init), let json = event["d"],
                    let body = EventBody(kind, json), let place = body.place
                else {
                    record.complaints.append(
                        Violation(.malformed, "channel \(id): an entry of the log \(LoadLoop.short(event))"))
                    continue
                }
                guard place.seq > after else {
                    throw RunFailure("channel \(id): the log tells \(place.seq) after \(after)")
                }
                record.entries[place.seq] = ChannelRecord.Entry(epoch: place.epoch, identity: body.identity)
                after = place.seq
            }
            if events.isEmpty || after >= record.lastSeq { return }
        }
    }

    /// Back from the newest message until the run's first.
    private func readHistory(into record: inout ChannelRecord) async throws {
        var newestFirst: [ChannelRecord.Stored] = []
        while true {
            let cursor = newestFirst.last.map { "&before=\($0.id)" } ?? ""
            let page = try await page("/api/v10/channels/\(id)/messages?limit=100" + cursor).arrayValue ?? []
            for message in page {
                guard let body = EventBody(.created, message), let place = body.place, let author = body.author else {
                    record.complaints.append(
                        Violation(.malformed, "channel \(id): a message of the history \(LoadLoop.short(message))"))
                    continue
                }
                newestFirst.append(
                    ChannelRecord.Stored(
                        id: body.identity.message, place: place, author: author, nonce: body.nonce))
            }
            if page.count < 100 || (newestFirst.last?.place.seq ?? 0) <= record.base { break }
        }
        record.messages = newestFirst.reversed().filter { $0.place.seq > record.base }
    }

    private func page(_ path: String) async throws -> JSON {
        let answer = try await run.request(RESTRequest(method: .GET, path: path, token: token))
        guard answer.status == 200 else { throw RunFailure("GET \(path): \(answer.summary)") }
        return answer.json
    }
}
