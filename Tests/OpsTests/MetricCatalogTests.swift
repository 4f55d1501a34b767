import Foundation
import Testing

@testable import FluxOps

@Suite("The catalog of metrics and the code agree")
struct MetricCatalogTests {
    /// The names in the code that are a metric's: quoted, with our prefix, outside of the catalog itself.
    func namesInSources() throws -> Set<String> {
        let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../Sources").standardizedFileURL
        let files = try #require(FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil))
        var names: Set<String> = []
        for case let file as URL in files
        where file.pathExtension == "swift" && file.lastPathComponent != "MetricCatalog.swift" {
            let text = try String(contentsOf: file, encoding: .utf8)
            for match in text.matches(of: /"(flux_[a-z_]+)"/) { names.insert(String(match.1)) }
        }
        // Cookies share the prefix.
        return names.filter { !$0.hasPrefix("flux_access") && !$0.hasPrefix("flux_refresh") }
    }

    @Test("What is recorded is in the catalog, and the other way round")
    func complete() throws {
        let recorded = Set(MetricCatalog.recorded.map(\.name))
        let read = Set(MetricCatalog.all.map(\.name)).subtracting(recorded)
        let names = try namesInSources()
        // The loops' lag is recorded through its definition.
        let through: Set = [MetricCatalog.eventLoopLag.name]
        #expect(names.subtracting(recorded) == [])
        #expect(recorded.subtracting(names) == through)
        #expect(names.isDisjoint(with: read), "read at a scrape and recorded, too: the family would be begun twice")
    }

    @Test("Every name stands once, has a unit and a sentence of help", arguments: MetricCatalog.all)
    func definition(_ metric: MetricDefinition) {
        #expect(MetricCatalog.all.filter { $0.name == metric.name }.count == 1)
        #expect(metric.name.wholeMatch(of: /(flux|process)_[a-z_]+/) != nil)
        #expect(metric.name.hasSuffix("_total") == (metric.kind == .counter))
        #expect(
            metric.name.firstMatch(of: /_(milliseconds|ms|microseconds|us|minutes|kilobytes|kb|mb|percent)(_|$)/) == nil
        )
        #expect(metric.help.hasSuffix("."))
        guard metric.kind == .histogram else { return }
        #expect(metric.name.wholeMatch(of: /.*_(seconds|bytes|rows)/) != nil)
    }

    @Test("What an operator is promised is there")
    func promised() {
        let names = Set(MetricCatalog.all.map(\.name))
        let wanted: Set = [
            "flux_gateway_connections", "flux_sessions", "flux_messages_total", "flux_deliveries_total",
            "flux_lane_rows", "flux_lane_oldest_seconds", "flux_lane_commit_seconds", "flux_live_to_final_seconds",
            "flux_replay_bytes", "flux_event_loop_lag_seconds", "process_resident_memory_bytes",
        ]
        #expect(wanted.subtracting(names) == [])
    }
}
