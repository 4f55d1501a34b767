import FluxCore

/// A JSON Web Token (RFC 7519) in compact form, signed with Ed25519 (`alg` EdDSA, RFC 8037), its key named by `kid`.
///
/// Decoding is total and bounded: any text gives a token or a ``Failure``. There is one algorithm; what the header asks for
/// never chooses how the signature is checked, and a header with `crit` is refused.
public struct JSONWebToken: Sendable, Equatable {
    /// Why a text is no token, or a token is not good.
    public enum Failure: Error, Sendable, Equatable {
        /// Not three parts of strict base64url with the JSON objects and claims that we issue, or too long.
        case malformed
        /// Signed with something other than Ed25519, or asking for rules we do not know.
        case unsupported
        /// No key of that name is known. Another node may have begun to use a new one: look again in the store.
        case unknownKey(String)
        /// The signature is not one of that key over this text.
        case badSignature
        /// Not yet or no longer in date.
        case outOfDate
        /// The key could not sign.
        case signingFailed
    }

    /// The longest text that is looked at, in bytes. Ours have about 350.
    public static let byteLimit = 2048

    private static let jsonLimits = JSONLimits(depth: 4)

    /// The name of the key that signed it.
    public let keyID: String

    /// What it says. Nothing of it is true before ``isSigned(by:)``.
    public let claims: AccessClaims

    private let signedText: [UInt8]
    private let signature: [UInt8]

    /// Takes a text apart, without checking signature or date.
    public init(decoding text: some StringProtocol) throws(Failure) {
        let bytes = Array(text.utf8.prefix(Self.byteLimit + 1))
        guard bytes.count <= Self.byteLimit else { throw .malformed }
        let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3 else { throw .malformed }
        let header = try Self.object(parts[0])
        guard header["alg"]?.stringValue == "EdDSA", header["crit"] == nil else { throw .unsupported }
        guard let keyID = header["kid"]?.stringValue, let claims = AccessClaims(try Self.object(parts[1])),
            let signature = Base64URL.decode(utf8: parts[2]), signature.count == Ed25519.signatureByteCount
        else { throw .malformed }
        self.keyID = keyID
        self.claims = claims
        self.signedText = Array(bytes[..<parts[1].endIndex])
        self.signature = signature
    }

    /// Whether `key` signed it.
    public func isSigned(by key: Ed25519PublicKey) -> Bool {
        key.isValid(signature: signature, for: signedText)
    }

    /// The text of a new token.
    public static func sign(
        _ claims: AccessClaims, keyID: String, with key: Ed25519PrivateKey
    ) throws(Failure) -> String {
        var header = JSONWriter()
        header.beginObject()
        header.key("alg")
        header.string("EdDSA")
        header.key("typ")
        header.string("JWT")
        header.key("kid")
        header.string(keyID)
        header.endObject()
        var payload = JSONWriter()
        claims.write(to: &payload)
        let signedText = "\(Base64URL.encode(header.bytes)).\(Base64URL.encode(payload.bytes))"
        guard let signature = try? key.signature(for: signedText.utf8) else { throw .signingFailed }
        return "\(signedText).\(Base64URL.encode(signature))"
    }

    private static func object(_ part: ArraySlice<UInt8>) throws(Failure) -> JSON {
        guard let bytes = Base64URL.decode(utf8: part), let value = try? JSON.parse(bytes, limits: jsonLimits),
            case .object = value
        else { throw .malformed }
        return value
    }
}
