import Foundation
import Testing

@testable import FluxOps

@Suite("A node's configuration is read whole or refused with its places")
struct ConfigurationLoaderTests {
    /// A file that goes away with the test.
    final class TemporaryFile {
        let path: String

        init(_ text: String) throws {
            path = FileManager.default.temporaryDirectory.appendingPathComponent("flux-\(UUID()).yaml").path
            try text.write(toFile: path, atomically: true, encoding: .utf8)
        }

        deinit {
            try? FileManager.default.removeItem(atPath: path)
        }
    }

    func load(
        _ yaml: String? = nil, _ environment: [String: String] = [:], _ options: [ConfigurationLoader.Option] = []
    ) throws -> LoadedConfiguration {
        let file = try yaml.map(TemporaryFile.init)
        return try withExtendedLifetime(file) {
            try ConfigurationLoader(file: file?.path, environment: environment, options: options).load()
        }
    }

    /// The problems of a file, each without the file's path.
    func problems(_ yaml: String, _ environment: [String: String] = [:]) throws -> [String] {
        let file = try TemporaryFile(yaml)
        do {
            _ = try ConfigurationLoader(file: file.path, environment: environment).load()
            Issue.record("not refused: \(yaml)")
            return []
        } catch {
            return error.problems.map { $0.description.replacingOccurrences(of: file.path, with: "FILE") }
        }
    }

    @Test("Nothing set: the defaults")
    func nothing() throws {
        #expect(try load().configuration == NodeConfiguration())
        #expect(try load("").configuration == NodeConfiguration())
        #expect(try load("# only a comment\n").configuration == NodeConfiguration())
        #expect(try load("listen:\nlimits:\n").configuration == NodeConfiguration())
    }

    @Test("The command line wins over the environment, which wins over the file")
    func precedence() throws {
        let yaml = "listen: 0.0.0.0:1\ncluster_listen: 10.0.0.1:1\nadmin_listen: 0.0.0.0:1\n"
        let environment = ["FLUX_CLUSTER_LISTEN": "10.0.0.1:2", "FLUX_ADMIN_LISTEN": "0.0.0.0:2"]
        let option = ConfigurationLoader.Option(name: "--admin-listen", path: "admin_listen", text: "0.0.0.0:3")
        let loaded = try load(yaml, environment, [option])
        #expect(loaded.configuration.listen.port == 1)
        #expect(loaded.configuration.clusterListen.port == 2)
        #expect(loaded.configuration.adminListen.port == 3)
        #expect(loaded.places["cluster_listen"] == .environment("FLUX_CLUSTER_LISTEN"))
        #expect(loaded.places["admin_listen"] == .option("--admin-listen"))
    }

    @Test("A node that listens everywhere says where it is reached by the others")
    func advertisedAddress() throws {
        for listen in ["0.0.0.0:7400", "\"[::]:7400\""] {
            let problems = #expect(throws: ConfigurationProblems.self) { try load("cluster_listen: \(listen)\n") }
            #expect(problems?.problems.first?.message.contains("set cluster_advertise") == true)
            let loaded = try load("cluster_listen: \(listen)\ncluster_advertise: a.example:7400\n")
            #expect(loaded.configuration.clusterAdvertise == Endpoint(host: "a.example", port: 7400))
        }
        #expect(throws: ConfigurationProblems.self) { try load("cluster_advertise: a.example:0\n") }
    }

    @Test("Every kind of value is read")
    func kinds() throws {
        let configuration = try load(
            """
            name: node-7
            listen: "[::1]:9000"
            public_url: https://chat.example/
            trusted_proxies: [10.0.0.0/8, "::1"]
            limits: {attachment_size: 1 MiB, session_resume: 5m, replay_memory: 25%, message_length: 4_000}
            rate_limits:
              enabled: off
              search: 3/7
            logging:
              format: json
            """
        ).configuration
        #expect(configuration.name == "node-7")
        #expect(configuration.listen == Endpoint(host: "::1", port: 9000))
        #expect(configuration.publicURL == "https://chat.example")
        #expect(configuration.trustedProxies == ["10.0.0.0/8", "::1"])
        #expect(configuration.limits.attachmentBytes == 1 << 20)
        #expect(configuration.limits.sessionResume == .seconds(300))
        #expect(configuration.limits.replayMemory == .percent(25))
        #expect(configuration.limits.messageLength == 4_000)
        #expect(configuration.rateLimits.enabled == false)
        #expect(configuration.rateLimits[.search] == Allowance(3, perSeconds: 7))
        #expect(configuration.logging.format == .json)
        #expect(
            try load(nil, ["FLUX_TRUSTED_PROXIES": "10.0.0.0/8, 192.168.1.1"]).configuration.trustedProxies.count == 2)
    }

    @Test("A key that does not exist is refused with its line and what was meant")
    func unknownKeys() throws {
        #expect(
            try problems("name: a\nlisten_on: 1\n") == ["FILE:2: unknown key listen_on; did you mean listen?"]
                || problems("name: a\nlisten_on: 1\n").first?.hasPrefix("FILE:2: unknown key listen_on; known here: ")
                    == true
        )
        #expect(try problems("lissten: 127.0.0.1:1") == ["FILE:1: unknown key lissten; did you mean listen?"])
        #expect(
            try problems("limits:\n  mesage_length: 5\n")
                == ["FILE:2: unknown key limits.mesage_length; did you mean limits.message_length?"])
        #expect(
            try problems("tls:\n  zzzzzzzz: 5\n") == ["FILE:2: unknown key tls.zzzzzzzz; known here: tls.cert, tls.key"]
        )
        #expect(
            try problems("databse:\n  url: x\n  lanes: 2\n") == ["FILE:1: unknown key databse; did you mean database?"])
        #expect(
            try problems("listen:\n  host: x\n").first?.hasPrefix("FILE:1: listen is a value, not a section") == true)
        #expect(try problems("limits: 5\n") == ["FILE:1: limits is a section; its keys go below it, indented"])
    }

    @Test("All problems are told at once, in the order of the file")
    func allAtOnce() throws {
        let found = try problems("listen: nowhere\nlimits:\n  message_length: 0\nlogging:\n  level: loud\n")
        #expect(found.count == 3)
        #expect(found.first?.hasPrefix("FILE:1: listen: \"nowhere\" is refused; allowed: host:port") == true)
        #expect(found[1] == "FILE:3: limits.message_length: \"0\" is refused; allowed: a whole number from 1 to 16000")
        #expect(
            found[2]
                == "FILE:5: logging.level: \"loud\" is refused; allowed: one of trace, debug, info, notice, warning, error, critical"
        )
    }

    @Test(
        "Hostile YAML is refused with a line",
        arguments: [
            "a: [1, 2", "- a\n- b\n", "just text", "listen: &x 127.0.0.1:1\nadmin_listen: *x\n: y\n", "listen: [[1]]\n",
            "listen: 127.0.0.1:1\nlisten: 127.0.0.1:2\n", "? [a, b]\n: c\n", "listen: \u{7}\n", "\"\": 1\n",
            "limits: {limits: {limits: 5}}\n", "listen: \"127.0.0.1:99999\"\n",
        ])
    func hostile(_ yaml: String) throws {
        let found = try problems(yaml)
        #expect(!found.isEmpty)
        #expect(found.allSatisfy { $0.hasPrefix("FILE:") })
    }

    @Test("A value of the environment is refused with the variable's name")
    func environment() throws {
        let found = try problems("", ["FLUX_LIMITS_MESSAGE_LENGTH": "many"])
        #expect(
            found == [
                "environment FLUX_LIMITS_MESSAGE_LENGTH: limits.message_length: \"many\" is refused; allowed: a whole number from 1 to 16000"
            ])
    }

    @Test("A variable that sets nothing is a warning, for orchestrators make their own")
    func strayVariables() throws {
        let loaded = try load(nil, ["FLUX_LISTN": "x", "FLUX_CONFIG": "y", "PATH": "z"])
        #expect(loaded.warnings == ["environment FLUX_LISTN: sets no key; did you mean FLUX_LISTEN?"])
    }

    @Test("Secrets come from files, never show, and are never set twice in one place")
    func secrets() throws {
        let secret = try TemporaryFile("postgres://flux:geheim@db/flux\n")
        let loaded = try load("database:\n  url_file: \(secret.path)\n")
        #expect(loaded.configuration.database.url?.exposed == "postgres://flux:geheim@db/flux")
        #expect(!"\(loaded.configuration)".contains("geheim"))
        #expect(!String(reflecting: loaded.configuration).contains("geheim"))
        var dumped = ""
        dump(loaded.configuration, to: &dumped)
        #expect(!dumped.contains("geheim"))
        #expect(!ConfigurationPrinter.effective(loaded).contains("geheim"))
        #expect(ConfigurationPrinter.effective(loaded).contains("url: \"***\""))

        let both = try problems("database:\n  url: postgres://a/b\n  url_file: \(secret.path)\n")
        #expect(both == ["FILE:3: database.url and database.url_file are both set; keep one"])
        let overridden = try load("database:\n  url_file: \(secret.path)\n", ["FLUX_DATABASE_URL": "postgres://x/y"])
        #expect(overridden.configuration.database.url?.exposed == "postgres://x/y")
        let wrong = try problems("database:\n  url: mysql://root:geheim@db\n")
        #expect(wrong == ["FILE:2: database.url: the value is refused; allowed: a postgres:// URL"])
        #expect(
            try problems("database:\n  url_file: /nonexistent/url\n") == [
                "FILE:2: /nonexistent/url: there is no such file"
            ])
    }

    @Test("What only the whole can know: both halves of TLS, all of S3")
    func whole() throws {
        #expect(try problems("tls:\n  cert: a.pem\n") == ["FILE:2: tls.cert and tls.key: set both or none"])
        #expect(
            try problems("storage:\n  kind: s3\n  s3: {endpoint: https://x, bucket: b, access_key: k}\n")
                == ["FILE:2: storage.kind s3 needs storage.s3.secret_key"])
    }

    @Test("A missing file is one problem")
    func missingFile() {
        let loader = ConfigurationLoader(file: "/nonexistent/flux.yaml", environment: [:])
        #expect(throws: ConfigurationProblems.self) { try loader.load() }
    }
}
