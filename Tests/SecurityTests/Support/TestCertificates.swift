import FluxCore
import Foundation

@testable import FluxSecurity

/// Certificates for tests, made when they are needed.
enum TestCertificates {
    static func authority(_ name: String = "Test Authority") throws -> CertificateAuthority {
        let now = Timestamp.now()
        return try CertificateAuthority.generate(
            commonName: name, validFrom: now.adding(seconds: -3600), validUntil: now.adding(seconds: 3600))
    }

    static func request(
        _ name: String, from: Int64 = -3600, until: Int64 = 3600
    ) -> CertificateAuthority.Request {
        let now = Timestamp.now()
        return CertificateAuthority.Request(
            commonName: name, hostNames: [name], addresses: ["127.0.0.1", "::1"],
            validFrom: now.adding(seconds: from), validUntil: now.adding(seconds: until))
    }
}

/// A directory of its own that vanishes with the value's last reference.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "flux-security-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Writes a file and gives its path.
    func write(_ bytes: [UInt8], to name: String) throws -> String {
        let file = "\(path)/\(name)"
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        return file
    }
}
