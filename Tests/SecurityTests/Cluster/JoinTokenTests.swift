import FluxCore
import FluxFuzzing
import Testing

@testable import FluxSecurity

@Suite struct JoinTokenTests {
    private func token() throws -> JoinToken {
        let authority = try #require(CertificateFingerprint(bytes: SecureRandom.bytes(32)))
        return JoinToken.mint(cluster: .random(), authority: authority)
    }

    @Test func tokensSurviveAndHaveOneSpelling() throws {
        let token = try token()
        #expect(JoinToken(parsing: token.text) == token)
        #expect(token.secretHash == JoinToken.hash(ofSecret: token.secret))
        #expect(JoinToken.identifier(ofHash: token.secretHash).count == 16)
        for text in [
            "", "flux1_", token.text + "A", token.text + "=", " " + token.text, "flux2_" + token.text.dropFirst(6),
        ] {
            #expect(JoinToken(parsing: text) == nil)
        }
        #expect(try self.token() != token)
    }

    @Test func aSlipIsNoticed() throws {
        let token = try token()
        var random = SeededGenerator(seed: 3)
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        for _ in 0..<FuzzBudget.inputs {
            var characters = Array(token.text.utf8)
            let position = Int.random(in: 0..<characters.count, using: &random)
            let other = alphabet.randomElement(using: &random) ?? 65
            guard characters[position] != other else { continue }
            characters[position] = other
            if JoinToken(parsing: String(decoding: characters, as: UTF8.self)) != nil {
                Issue.record("a token with a changed character was read")
                return
            }
        }
    }

    @Test func anythingElseIsRefused() {
        var random = SeededGenerator(seed: 4)
        for _ in 0..<FuzzBudget.inputs {
            let text = String(decoding: random.bytes(upTo: 200), as: UTF8.self)
            if JoinToken(parsing: text) != nil || JoinToken(parsing: "flux1_" + text) != nil {
                Issue.record("noise was read as a token")
                return
            }
        }
    }
}

@Suite struct CertificateSigningRequestTests {
    @Test func whatIsReadIsWhatWasWritten() throws {
        let (request, key) = try CertificateSigningRequest.generate()
        let read = try #require(CertificateSigningRequest(parsing: request.bytes))
        #expect(read.keyFingerprint == request.keyFingerprint)
        // The same key makes another request, but is known again.
        let again = try CertificateSigningRequest(privateKeyPEM: key)
        #expect(again.keyFingerprint == request.keyFingerprint)
        #expect(try CertificateSigningRequest.generate().request.keyFingerprint != request.keyFingerprint)
        #expect(throws: TLSError.self) { try CertificateSigningRequest(privateKeyPEM: Array("x".utf8)) }
        let edwards = Array(try Ed25519PrivateKey.generate().pem().utf8)
        #expect(throws: TLSError.self) { try CertificateSigningRequest(privateKeyPEM: edwards) }
    }

    @Test func damagedOnesAreRefused() throws {
        let (request, _) = try CertificateSigningRequest.generate()
        var random = SeededGenerator(seed: 8)
        for _ in 0..<FuzzBudget.inputs / 10 {
            let bytes = random.mutate(request.bytes)
            guard bytes != request.bytes else { continue }
            if let read = CertificateSigningRequest(parsing: bytes), read.keyFingerprint != request.keyFingerprint {
                Issue.record("a request was read for another key than it was signed with")
                return
            }
        }
        #expect(CertificateSigningRequest(parsing: []) == nil)
        #expect(CertificateSigningRequest(parsing: request.bytes + [0]) == nil)
        #expect(CertificateSigningRequest(parsing: Array(request.bytes.dropLast())) == nil)
        #expect(CertificateSigningRequest(parsing: [UInt8](repeating: 0x30, count: 1 << 20)) == nil)
    }

    @Test func theAuthorityDecidesWhatTheCertificateSays() throws {
        let now = Timestamp.now()
        let cluster = ClusterID.random()
        let authority = try NodeCertificate.authority(of: cluster, at: now)
        let (request, key) = try CertificateSigningRequest.generate()
        let what = NodeCertificate(cluster: cluster, node: 5)
        let chain = try authority.issue(what.request(name: "five", at: now), for: request)
        let identity = TLSIdentity(certificateChainPEM: chain, privateKeyPEM: key)
        #expect(try identity.nodeCertificate() == what)
        // Key and certificate belong together, and the chain ends in the authority.
        _ = try TLSContext(.server(identity: identity))
        let certificates = try #require(PEM.certificates(in: chain))
        #expect(certificates.count == 2)
        #expect(certificates[1].fingerprint == authority.fingerprint)
        let validity = try identity.validity()
        #expect(validity.until.seconds - now.seconds == NodeCertificate.lifetimeSeconds)
    }
}
