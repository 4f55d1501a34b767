import FluxCore
import Foundation

/// The people that a run may use, from the JSON lines of `flux admin provision`.
struct Roster: Sendable {
    let people: [Person]

    /// Reads a file; `-` stands for standard input.
    static func read(_ path: String) throws(RunFailure) -> Roster {
        let data: Data?
        if path == "-" {
            data = try? FileHandle.standardInput.readToEnd()
        } else {
            data = FileManager.default.contents(atPath: path)
        }
        guard let data else { throw RunFailure("\(path): cannot be read") }
        var people: [Person] = []
        for (number, line) in data.split(separator: UInt8(ascii: "\n")).enumerated() {
            guard let person = person(Array(line)) else {
                throw RunFailure(
                    "\(path):\(number + 1): not a line of `flux admin provision`: "
                        + String(decoding: line.prefix(120), as: UTF8.self))
            }
            people.append(person)
        }
        guard !people.isEmpty else { throw RunFailure("\(path): nobody is in it") }
        return Roster(people: people)
    }

    private static func person(_ line: [UInt8]) -> Person? {
        guard let object = try? JSON.parse(line), let id = object["user_id"]?.snowflakeValue,
            let name = object["username"]?.stringValue, let token = object["access_token"]?.stringValue
        else { return nil }
        let channels = object["channel_ids"]?.arrayValue?.compactMap { $0.snowflakeValue?.rawValue } ?? []
        return Person(id: id.rawValue, name: name, token: token, channels: channels)
    }

    /// Refuses tokens that end before the run does, since nobody could come back with one.
    func requireTokens(for seconds: Double, now: Date = Date()) throws(RunFailure) {
        let ends = people.compactMap { AccessTokenExpiry.seconds(of: $0.token) }
        guard let first = ends.min() else { return }
        let left = Double(first) - now.timeIntervalSince1970
        guard left > seconds else {
            throw RunFailure(
                left <= 0
                    ? "the access tokens have ended: provision anew, with the same prefix and numbers"
                    : """
                    the access tokens end in \(Int(left)) s and the run may take \(Int(seconds)) s: provision right before \
                    it, or make it shorter
                    """)
        }
    }
}
