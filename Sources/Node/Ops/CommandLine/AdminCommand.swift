import ArgumentParser
import FluxCore
import Foundation
import NIOCore

/// `flux admin`: what administrators do, through a node's admin port.
struct AdminCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "admin",
        abstract: "Administer a running node through its admin port.",
        subcommands: [Provision.self])

    /// `flux admin provision`.
    struct Provision: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make many accounts, guilds and memberships at once, for load tests and imports.",
            discussion: """
                Writes one JSON line a person: {user_id, username, access_token, guild_ids, channel_ids}. Guild g has the \
                people g*M to g*M+M-1, counted round; the first owns it. The accounts have no password, and the \
                tokens are good for 15 minutes: run it again with the same prefix and numbers, and it finds what it \
                made and gives new ones.
                """)

        @Option(help: "The node's admin port (or FLUX_ADMIN).")
        var admin = ProcessInfo.processInfo.environment["FLUX_ADMIN"] ?? AdminOptions.presetAddress

        @Option(help: "How many accounts.")
        var users = 1

        @Option(help: "How many guilds.")
        var guilds = 0

        @Option(help: "How many members in each guild.")
        var members = 1

        @Option(help: "How many text channels in each guild.")
        var channels = 1

        @Option(help: "What usernames begin with: 1 to 24 of a-z, 0-9, . and _")
        var prefix = "user"

        @Option(help: "Where the lines go; - for standard output.", completion: .file())
        var out = "-"

        /// The node makes everything before it sends the first line.
        private static let patience = Duration.seconds(600)

        private var request: ProvisionRequest {
            ProvisionRequest(users: users, guilds: guilds, members: members, channels: channels, prefix: prefix)
        }

        mutating func validate() throws {
            do throws(ProvisionRequest.Refusal) {
                _ = try ProvisionRequest(body: request.encoded())
            } catch {
                throw ValidationError("--\(error.message)")
            }
        }

        func run() async throws {
            let client = try AdminClient(admin)
            let file = try Self.open(out)
            var tail = ByteBuffer()
            try await client.post("/admin/v1/provision", body: request.encoded(), within: Self.patience) { piece in
                do {
                    try file.write(contentsOf: Data(buffer: piece))
                } catch {
                    throw CommandFailure(.cannotCreate, "\(out): cannot be written: \(error.localizedDescription)")
                }
                tail = piece
            }
            try Self.check(tail)
        }

        /// The last line tells whether the node could make everything.
        private static func check(_ tail: ByteBuffer) throws {
            guard let line = tail.readableBytesView.split(separator: UInt8(ascii: "\n")).last,
                let message = try? JSON.parse(Array(line)).objectValue?["error"]?.stringValue
            else { return }
            throw CommandFailure(.failure, message)
        }

        private static func open(_ path: String) throws(CommandFailure) -> FileHandle {
            if path == "-" { return .standardOutput }
            // Tokens are inside: for the owner's eyes only.
            guard FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600]),
                let file = FileHandle(forWritingAtPath: path)
            else { throw CommandFailure(.cannotCreate, "\(path): cannot be written") }
            return file
        }
    }
}
