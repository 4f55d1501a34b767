import Foundation
import Testing

@testable import FluxOps

@Suite("The configuration's table and everything made from it")
struct ConfigurationSchemaTests {
    /// The root of the repository, found from this file.
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    @Test("Paths and variables are unique")
    func unique() {
        let keys = ConfigurationSchema.keys
        #expect(Set(keys.map(\.path)).count == keys.count)
        #expect(Set(keys.map(\.environmentName)).count == keys.count)
        #expect(Set(keys.map(\.environmentName)).isDisjoint(with: ConfigurationLoader.reservedVariables))
    }

    @Test("What a default writes is read back as the same", arguments: ConfigurationSchema.keys.map(\.path))
    func defaultsRoundTrip(_ path: String) throws {
        let key = try #require(ConfigurationSchema.keys.first { $0.path == path })
        var configuration = NodeConfiguration()
        #expect(key.write(key.read(NodeConfiguration()) ?? .scalar(""), &configuration))
        #expect(configuration == NodeConfiguration())
    }

    @Test("cluster-config/single.yaml is the reference: `flux config print --reference` writes it")
    func referenceFile() throws {
        let file = Self.root.appendingPathComponent("cluster-config/single.yaml")
        let text = try String(contentsOf: file, encoding: .utf8)
        #expect(text == ConfigurationPrinter.reference())
        let loaded = try ConfigurationLoader(file: file.path, environment: [:]).load()
        #expect(loaded.configuration == NodeConfiguration())
    }

    @Test("Every file in cluster-config is accepted")
    func examples() throws {
        let directory = Self.root.appendingPathComponent("cluster-config")
        let names = try FileManager.default.contentsOfDirectory(atPath: directory.path)
        for name in names where name.hasSuffix(".yaml") && !name.hasPrefix("prometheus") {
            let path = directory.appendingPathComponent(name).path
            var environment: [String: String] = [:]
            // The secrets that some take from files are not on this machine.
            for (key, value) in [
                ("FLUX_DATABASE_URL", "postgres://db/flux"), ("FLUX_STORAGE_S3_ACCESS_KEY", "a"),
                ("FLUX_STORAGE_S3_SECRET_KEY", "b"),
            ] where name.contains("production") || name == "node1.yaml" {
                environment[key] = value
            }
            #expect(throws: Never.self) { try ConfigurationLoader(file: path, environment: environment).load() }
        }
    }

    @Test("docs/operations.md holds the tables that `flux config print --table` and `flux metrics` print")
    func documented() throws {
        let text = try String(contentsOf: Self.root.appendingPathComponent("docs/operations.md"), encoding: .utf8)
        #expect(text.contains(ConfigurationPrinter.table()))
        #expect(text.contains(MetricCatalog.table()))
    }

    @Test("The effective configuration reads back as what it shows")
    func effective() throws {
        var odd = NodeConfiguration()
        odd.dataDirectory = "a \"b\": #c\\ 'd'"
        odd.listen = Endpoint(host: "::1", port: 1)
        let shown = ConfigurationPrinter.effective(LoadedConfiguration(configuration: odd, places: [:], warnings: []))
        let file = try ConfigurationLoaderTests.TemporaryFile(shown)
        #expect(try ConfigurationLoader(file: file.path, environment: [:]).load().configuration == odd)
    }
}

@Suite("Values of the configuration")
struct ConfigurationValueTests {
    @Test(
        "Sizes",
        arguments: [("0", 0), ("17", 17), ("17 B", 17), ("2KiB", 2_048), ("25 MiB", 25 << 20), ("3 GiB", 3 << 30)])
    func sizes(_ text: String, _ bytes: Int) {
        #expect(ByteSize.parse(text) == bytes)
        #expect(ByteSize.parse(ByteSize.text(bytes)) == bytes)
    }

    @Test(
        "What is no size",
        arguments: ["", "MiB", "1 MB", "-1", "1.5 MiB", "99999999999999999999", "9999999999 GiB", "１"])
    func noSizes(_ text: String) {
        #expect(ByteSize.parse(text) == nil)
    }

    @Test(
        "Times",
        arguments: [
            ("90", 90_000), ("500ms", 500), ("15 s", 15_000), ("10m", 600_000), ("2h", 7_200_000),
            ("30d", 2_592_000_000),
        ])
    func times(_ text: String, _ milliseconds: Int) {
        #expect(TimeText.parse(text) == .milliseconds(milliseconds))
        #expect(TimeText.parse(TimeText.text(.milliseconds(milliseconds))) == .milliseconds(milliseconds))
    }

    @Test("Endpoints", arguments: ["127.0.0.1:8080", "[::1]:0", "chat.example:65535"])
    func endpoints(_ text: String) {
        #expect(Endpoint(text)?.description == text)
    }

    @Test("What is no endpoint", arguments: ["", ":1", "a", "a:", "a:65536", "a:-1", "::1:80", "a b:1", "a:1x"])
    func noEndpoints(_ text: String) {
        #expect(Endpoint(text) == nil)
    }

    @Test("The word that was meant")
    func nearest() {
        #expect(EditDistance.nearest(to: "lisen", among: ["listen", "limits"]) == "listen")
        #expect(EditDistance.nearest(to: "quite other", among: ["listen", "limits"]) == nil)
        #expect(EditDistance.between(Array("kitten"), Array("sitting")) == 3)
        #expect(EditDistance.between([], Array("abc")) == 3)
    }
}
