import ArgumentParser
import Foundation

/// What all loads are told on the command line.
struct LoadOptions: ParsableArguments {
    @Option(name: .customLong("url"), help: "A node's client port, http://HOST:PORT; may be given several times.")
    var urls: [String] = ["http://127.0.0.1:8080"]

    @Option(help: "The people: what `flux admin provision` wrote; - for standard input.", completion: .file())
    var people: String

    @Option(help: "How many sessions; without it, one for everybody in the file.")
    var sessions: Int?

    @Option(help: "Leave out so many people at the file's beginning: for several generators with one file.")
    var skip = 0

    @Option(help: "Seconds without figures before each step.")
    var warmUp = 1.0

    @Option(help: "Seconds of each step.")
    var duration = 10.0

    @Option(help: "The most seconds that are waited for what is still to come.")
    var drain = 30.0

    @Option(help: "How sends travel: gateway (op 100) or rest.")
    var via = SendRoute.gateway

    @Flag(help: "Batch mode: many payloads a frame.")
    var batch = false

    @Option(help: "Characters of a message's text.")
    var size = 100

    @Option(
        name: .customLong("pid"),
        help: "A server process whose processor time is held against the deliveries: PID[:NAME].")
    var processes: [String] = []

    @Option(help: "Event loops of the generator.")
    var loops = min(2, ProcessInfo.processInfo.activeProcessorCount)

    @Option(help: "Connections that are begun in a second.")
    var connectRate = 500.0

    @Option(help: "Connections that are made at a time.")
    var connecting = 64

    @Option(help: "Seconds between heartbeats, where the server does not ask for more.")
    var heartbeat = 41.25

    @Option(
        help: "How many acknowledged sends are repeated at the end, the other way, to see that they are answered alike."
    )
    var repeats = 1_000

    @Flag(help: "Print one JSON object instead of a table.")
    var json = false

    func validate() throws {
        guard duration > 0, warmUp >= 0, drain >= 0 else { throw ValidationError("times have to be positive") }
        guard (1...64).contains(loops) else { throw ValidationError("--loops: 1 to 64") }
        guard (1...2_000).contains(size) else { throw ValidationError("--size: 1 to 2000") }
        guard connectRate > 0, connecting > 0 else {
            throw ValidationError("--connect-rate and --connecting have to be positive")
        }
        guard sessions ?? 1 > 0, skip >= 0, repeats >= 0, heartbeat > 0 else {
            throw ValidationError("--sessions and --heartbeat have to be positive, --skip and --repeats not negative")
        }
    }

    func servers() throws -> [ServerProcess] { try processes.map { try ServerProcess($0) } }

    /// The people of the file, without those that are left out.
    func roster() throws -> Roster {
        let all = try Roster.read(people)
        let rest = all.people.dropFirst(skip)
        guard !rest.isEmpty else { throw RunFailure("--skip \(skip) leaves nobody of \(all.people.count) people") }
        return Roster(people: Array(rest))
    }

    func settings() throws -> LoadSettings {
        var settings = LoadSettings(targets: try urls.map { try Target($0) })
        settings.loops = loops
        settings.isBatched = batch
        settings.route = via
        settings.textSize = size
        settings.connectRate = connectRate
        settings.connectWidth = connecting
        settings.heartbeat = heartbeat
        return settings
    }
}

extension SendRoute: ExpressibleByArgument {}
