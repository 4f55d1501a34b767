import ArgumentParser
import FluxStore
import Foundation
import Logging

/// `flux postgres`: the private Postgres as a process of its own, and what a restored backup needs.
struct PostgresCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "postgres",
        abstract: "Run a private Postgres for several nodes of this machine, or tell a database that it was restored.",
        subcommands: [Run.self, Restored.self])

    /// `flux postgres run`.
    struct Run: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Run a private Postgres until SIGTERM.",
            discussion: """
                For several nodes on one machine; a node alone runs one by itself. Prints its postgres:// URL on \
                standard output when it accepts connections. It listens on 127.0.0.1 and asks for a password, which is \
                made at the first start and is part of the URL.
                """)

        @Option(help: "The directory of its data; made if missing.", completion: .directory)
        var dataDir: String

        @Option(help: "Its port on 127.0.0.1.")
        var port = 7432

        mutating func validate() throws {
            guard (1...65_535).contains(port) else { throw ValidationError("--port \(port): expected 1 to 65535") }
        }

        func run() async throws {
            let logger = Logger(label: "flux.postgres") { label in
                FluxLogHandler(label: label, settings: NodeConfiguration.LogSettings(), sink: .standardError)
            }
            let directory = try DataDirectory(dataDir)
            let stop = StopRequest()
            let signals = ProcessSignals(stop: stop.make, reload: {})
            defer { withExtendedLifetime((signals, directory)) {} }
            do throws(StoreError) {
                let configuration = PrivatePostgres.Configuration(
                    dataDirectory: directory.path, port: port, adoptsOrphans: true)
                let server = try await PrivatePostgres.start(configuration, logger: logger)
                // Not by print(): its buffer would keep the line from a reader of the pipe.
                FileHandle.standardOutput.write(Data(((server.networkURL ?? server.url) + "\n").utf8))
                await stop.wait()
                try await server.stop()
            } catch {
                throw CommandFailure(error)
            }
        }
    }

    /// `flux postgres restored`.
    struct Restored: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Raise every epoch, after a backup was put back and before a node starts.",
            discussion: """
                Clients and nodes remember epochs of the time that the backup does not know. Raised, every channel's \
                numbers continue above whatever they have seen, and clients are told what was rolled back.
                """)

        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            let loaded = try options.load()
            guard let url = loaded.configuration.database.url?.exposed else {
                throw CommandFailure(.usage, "no database.url is set; this is about a database of your own")
            }
            let logger = Logger(label: "flux.postgres") { label in
                FluxLogHandler(label: label, settings: loaded.configuration.logging, sink: .standardError)
            }
            do throws(StoreError) {
                let database = try Database(
                    configuration: DatabaseConfiguration(url: url, applicationName: "flux/restored", connections: 1),
                    logger: logger)
                let result = await Self.raise(database)
                await database.close()
                try result.get()
            } catch {
                throw CommandFailure(error)
            }
            print("every epoch was raised; start the nodes")
        }

        private static func raise(_ database: Database) async -> Result<Void, StoreError> {
            do throws(StoreError) {
                return .success(try await LeaseStore(database).raiseEveryEpoch())
            } catch {
                return .failure(error)
            }
        }
    }
}
