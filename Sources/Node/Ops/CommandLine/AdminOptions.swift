import ArgumentParser
import FluxCore
import Foundation

/// Which node a command asks, and how it prints.
struct AdminOptions: ParsableArguments {
    /// The admin port of a node of this machine.
    static let presetAddress = "http://127.0.0.1:9400"

    @Option(help: ArgumentHelp("The admin port of the node that is asked (or FLUX_ADMIN).", valueName: "url"))
    var admin = ProcessInfo.processInfo.environment["FLUX_ADMIN"] ?? AdminOptions.presetAddress

    @Flag(help: "Print one JSON object.")
    var json = false

    func client() throws(CommandFailure) -> AdminClient { try AdminClient(admin) }

    /// Prints the answer: as it came, or as the lines that are made of it.
    func show(_ answer: JSON, _ lines: (JSON) -> [String]) {
        if json {
            print(String(decoding: answer.encoded(), as: UTF8.self))
        } else {
            for line in lines(answer) { print(line) }
        }
    }
}

/// Columns of text, as wide as they have to be.
enum TextTable {
    /// A moment of the API to the second; - for none.
    static func moment(_ value: JSON?) -> String {
        guard let text = value?.stringValue else { return "-" }
        return text.prefix(19).replacing("T", with: " ") + " UTC"
    }

    static func lines(_ rows: [[String]]) -> [String] {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        return rows.map { row in
            let cells = zip(row, widths).map { $0.padding(toLength: $1, withPad: " ", startingAt: 0) }
            return String(cells.joined(separator: "  ").reversed().drop { $0 == " " }.reversed())
        }
    }
}
