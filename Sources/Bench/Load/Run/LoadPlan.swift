/// Who connects, which channels count, and who sends where.
struct LoadPlan: Sendable {
    /// What the load is, for the report.
    let title: String
    let people: [Person]
    let channels: ChannelTable
    let senders: [LoadRun.Sender]

    /// One channel, everybody in it, some who send.
    static func fanout(
        _ roster: Roster, channel wanted: UInt64?, sessions: Int?, senders: Int
    ) throws(RunFailure) -> LoadPlan {
        guard let channel = wanted ?? roster.people.lazy.compactMap(\.channels.first).first else {
            throw RunFailure("nobody in the file has a channel: provision with --guilds and --channels")
        }
        let members = roster.people.filter { $0.channels.contains(channel) }
        let count = sessions ?? members.count
        guard count > 0, count <= members.count else {
            throw RunFailure("channel \(channel) has \(members.count) people in the file, \(count) are wanted")
        }
        return LoadPlan(
            title: "one channel, \(count) sessions, \(min(senders, count)) of them send",
            people: Array(members.prefix(count)), channels: ChannelTable([channel]),
            senders: (0..<min(senders, count)).map { LoadRun.Sender(session: $0, channels: [0]) })
    }

    /// Many channels with a few sessions each, and all of them send.
    static func rooms(_ roster: Roster, rooms: Int?, members: Int?, sessions: Int?) throws(RunFailure) -> LoadPlan {
        var order: [UInt64] = []
        var inside: [UInt64: [Int]] = [:]
        for (number, person) in roster.people.enumerated() {
            for channel in person.channels {
                if inside[channel] == nil { order.append(channel) }
                inside[channel, default: []].append(number)
            }
        }
        let wanted = rooms ?? order.count
        guard wanted > 0, wanted <= order.count else {
            throw RunFailure("the people of the file have \(order.count) channels, \(wanted) are wanted")
        }
        let table = ChannelTable(Array(order.prefix(wanted)))
        var numbers: [Int: Int] = [:]
        var people: [Person] = []
        var seats: [[Int]] = []
        for channel in table.ids {
            let all = inside[channel] ?? []
            guard members ?? 1 <= all.count else {
                throw RunFailure("channel \(channel) has \(all.count) people in the file, \(members ?? 1) are wanted")
            }
            var row: [Int] = []
            for person in all.prefix(members ?? all.count) {
                if numbers[person] == nil {
                    guard people.count < sessions ?? Int.max else { continue }
                    numbers[person] = people.count
                    people.append(roster.people[person])
                }
                if let number = numbers[person] { row.append(number) }
            }
            seats.append(row)
        }
        // Rooms first, so that one message after the other is another room's.
        let widest = seats.map(\.count).max() ?? 0
        let senders = (0..<widest).flatMap { seat in
            seats.enumerated().compactMap { room, row in
                seat < row.count ? LoadRun.Sender(session: row[seat], channels: [room]) : nil
            }
        }
        return LoadPlan(
            title: "\(table.count) channels, \(people.count) sessions, all send", people: people, channels: table,
            senders: senders)
    }

    /// Everybody in all of their channels, in turn.
    static func everybody(_ roster: Roster, sessions: Int?) throws(RunFailure) -> LoadPlan {
        let people = Array(roster.people.prefix(sessions ?? roster.people.count)).filter { !$0.channels.isEmpty }
        guard !people.isEmpty else {
            throw RunFailure("nobody in the file has a channel: provision with --guilds and --channels")
        }
        var order: [UInt64] = []
        var known: Set<UInt64> = []
        for person in people {
            for channel in person.channels where known.insert(channel).inserted { order.append(channel) }
        }
        let table = ChannelTable(order)
        // Those of one channel are far apart, so that each channel is sent to all the time and not in bursts.
        var seats: [UInt64: Int] = [:]
        let turns = people.enumerated().map { number, person in
            let first = person.channels.first ?? 0
            defer { seats[first, default: 0] += 1 }
            return (seat: seats[first] ?? 0, number: number)
        }.sorted { ($0.seat, $0.number) < ($1.seat, $1.number) }
        let senders = turns.map { _, number in
            LoadRun.Sender(
                session: number, channels: people[number].channels.compactMap { table.number(of: $0) })
        }
        return LoadPlan(
            title: "\(table.count) channels, \(people.count) sessions, all send", people: people, channels: table,
            senders: senders)
    }
}
