import FluxCore
import Foundation

/// Who one end of a connection is: a certificate with its chain, and the private key, as PEM texts.
public struct TLSIdentity: Sendable, Equatable {
    /// A file of a chain or a key is never larger than this; a larger one is some other file.
    private static let fileByteLimit = 1 << 20

    /// The own certificate first, then the intermediate ones.
    public var certificateChainPEM: [UInt8]

    /// The key of the first certificate, unencrypted.
    public var privateKeyPEM: [UInt8]

    /// An identity of two PEM texts. Nothing is checked before a ``TLSContext`` is made of it.
    public init(certificateChainPEM: [UInt8], privateKeyPEM: [UInt8]) {
        self.certificateChainPEM = certificateChainPEM
        self.privateKeyPEM = privateKeyPEM
    }

    /// Reads both texts from files.
    public init(certificateFile: String, privateKeyFile: String) throws(TLSError) {
        self.init(
            certificateChainPEM: try Self.contents(of: certificateFile),
            privateKeyPEM: try Self.contents(of: privateKeyFile))
    }

    /// SHA-256 of the own certificate in DER, by which a cluster knows its members.
    public func fingerprint() throws(TLSError) -> [UInt8] {
        guard let fingerprint = PEM.certificates(in: certificateChainPEM)?.first?.fingerprint else {
            throw .configuration("the certificate cannot be read")
        }
        return fingerprint
    }

    /// The node that the own certificate is for, if it is one of a node.
    public func nodeCertificate() throws(TLSError) -> NodeCertificate? {
        guard let certificate = PEM.certificates(in: certificateChainPEM)?.first else {
            throw .configuration("the certificate cannot be read")
        }
        return NodeCertificate(hostNames: certificate.hostNames)
    }

    /// From when until when the own certificate is good.
    public func validity() throws(TLSError) -> (from: Timestamp, until: Timestamp) {
        guard let validity = PEM.certificates(in: certificateChainPEM)?.first?.validity else {
            throw .configuration("the certificate cannot be read")
        }
        return validity
    }

    private static func contents(of path: String) throws(TLSError) -> [UInt8] {
        guard let file = FileHandle(forReadingAtPath: path) else { throw .configuration("cannot open \(path)") }
        defer { try? file.close() }
        guard let data = try? file.read(upToCount: fileByteLimit + 1) else {
            throw .configuration("cannot read \(path), or it is empty")
        }
        guard data.count <= fileByteLimit else { throw .configuration("\(path) is larger than 1 MiB") }
        return Array(data)
    }
}
