import FluxCluster
import FluxCore

/// What became of a session, for its User actor.
struct SessionNews: WireCodable, Equatable {
    enum News: Equatable {
        /// Op 3.
        case presence(SessionPresence)
        /// It waits for its client longer than a user counts as online without one.
        case absent
        /// Its client is back.
        case returned
        case ended
    }

    var session: SessionKey
    /// Where the session lives, once it has left the node that its id names.
    var home: SessionHome?
    var news: News

    init(session: SessionKey, home: SessionHome?, news: News) {
        self.session = session
        self.home = home
        self.news = news
    }

    func encode(to writer: inout WireWriter) {
        writer.unsigned(session.rawValue)
        writer.optional(home)
        switch news {
        case .presence(let presence):
            writer.byte(1)
            writer.value(presence)
        case .absent: writer.byte(2)
        case .returned: writer.byte(3)
        case .ended: writer.byte(4)
        }
    }

    init(from reader: inout WireReader) throws(WireError) {
        let session = SessionKey(rawValue: try reader.unsigned())
        let home = try reader.optional(SessionHome.self)
        let number = try reader.byte()
        let news: News
        switch number {
        case 1: news = .presence(try reader.value())
        case 2: news = .absent
        case 3: news = .returned
        case 4: news = .ended
        default: throw .unknownCase(UInt64(number))
        }
        self.init(session: session, home: home, news: news)
    }
}

extension SessionPresence: WireCodable {
    public func encode(to writer: inout WireWriter) {
        writer.string(status.rawValue)
        writer.list(activities.map(\.json))
    }

    public init(from reader: inout WireReader) throws(WireError) {
        guard let status = PresenceStatus(rawValue: try reader.string()) else { throw .malformed("no such status") }
        let activities = try reader.list(of: JSON.self)
        self.init(status: status, activities: activities.compactMap(Activity.init(stored:)))
    }
}

extension Activity {
    /// Reads `json` back, with the time it was first seen at.
    init?(stored json: JSON) {
        let moment =
            json["created_at"]?.intValue.map { Timestamp(milliseconds: Int64($0)) } ?? Timestamp(microseconds: 0)
        self.init(json: json, now: moment)
    }
}
