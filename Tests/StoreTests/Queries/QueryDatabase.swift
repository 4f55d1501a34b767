import FluxCore
import Foundation
import Logging

@testable import FluxStore

/// Runs `body` on an empty database with the schema, on a real server, and removes it afterwards.
func withDatabase(_ body: (Database) async throws -> Void) async throws {
    let name = "t\(UInt64.random(in: 0 ... .max))"
    func psql(_ sql: String) throws {
        let p = Process()
        p.executableURL = URL(fileURLWithPath: "/usr/bin/psql")
        p.arguments = ["-h", "/tmp/sq-pg", "-U", "postgres", "-q", "-c", sql]
        try p.run()
        p.waitUntilExit()
    }
    try psql("create database \(name) template flux_template")
    let database = try Database(
        configuration: DatabaseConfiguration(url: "host=/tmp/sq-pg user=postgres dbname=\(name)", connections: 3),
        logger: Logger(label: "test"))
    do { try await body(database) } catch {
        await database.close()
        try psql("drop database \(name) with (force)")
        throw error
    }
    await database.close()
    try psql("drop database \(name) with (force)")
}
