import Foundation
import Testing

/// SIGHUP: the client port serves the certificate that is in the file now; one that cannot be used changes nothing.
@Suite struct CertificateTests {
    @Test func aHangUpSignalReloadsTheCertificate() async throws {
        let directory = try SystemDirectory()
        defer { directory.remove() }
        let files = (certificate: directory.file("certificate.pem"), key: directory.file("key.pem"))
        let first = try await Self.make(files, named: "first.example")
        let options = NodeProcess.Options(arguments: [
            "--set", "tls.cert=\(files.certificate)", "--set", "tls.key=\(files.key)",
        ])
        try await withNode(options) { node in
            #expect(try await Self.served(by: node) == first)

            try "no certificate".write(toFile: files.certificate, atomically: true, encoding: .utf8)
            node.signal(SIGHUP)
            _ = try await eventually("word of the failure") {
                node.log.contains("certificates not reloaded") ? true : nil
            }
            #expect(try await Self.served(by: node) == first)

            let second = try await Self.make(files, named: "second.example")
            #expect(second != first)
            node.signal(SIGHUP)
            _ = try await eventually("the new certificate") { try await Self.served(by: node) == second ? true : nil }
            #expect(try await node.reasonsAgainstReadiness() == [])
            #expect(try await node.stop() == .exit(0))
        }
    }

    /// Makes a key and a certificate that it has signed itself. - Returns: the certificate's base64.
    private static func make(_ files: (certificate: String, key: String), named name: String) async throws -> String {
        let made = try await ChildProcess.run(
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                "-subj", "/CN=\(name)", "-keyout", files.key, "-out", files.certificate,
            ], of: "/usr/bin/openssl")
        guard made.ending == .exit(0) else { throw HarnessError("openssl req: \(made.errors)") }
        return try certificate(in: String(contentsOfFile: files.certificate, encoding: .utf8))
    }

    private static func served(by node: NodeProcess) async throws -> String {
        let shown = try await ChildProcess.run(
            ["s_client", "-connect", "127.0.0.1:\(node.port)", "-showcerts"], of: "/usr/bin/openssl")
        return try certificate(in: shown.output)
    }

    private static func certificate(in text: String) throws -> String {
        guard let begin = text.range(of: "-----BEGIN CERTIFICATE-----"),
            let end = text.range(of: "-----END CERTIFICATE-----", range: begin.upperBound..<text.endIndex)
        else { throw HarnessError("no certificate in: \(text)") }
        return text[begin.upperBound..<end.lowerBound].filter { !$0.isWhitespace }
    }
}
