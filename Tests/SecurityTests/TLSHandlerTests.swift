import FluxFuzzing
import NIOConcurrencyHelpers
import NIOCore
import NIOEmbedded
import Testing

@testable import FluxSecurity

/// The handler between two embedded channels: every byte and every moment is the test's own.
@Suite struct TLSHandlerTests {
    @Test(arguments: [TLSConfiguration.MinimumVersion.tls12, .tls13], [1, 7, 1000, Int.max])
    func carriesBytesBothWaysInPiecesOfAnySize(version: TLSConfiguration.MinimumVersion, size: Int) throws {
        let pair = try EmbeddedPair.trusting(server: { $0.minimumVersion = version })
        defer { pair.finish() }
        try pair.exchange(pieces: size)
        #expect(pair.client.recorder.handshake?.version == "TLSv1.3")
        let up = SecureRandom.bytes(70_000)
        let down = SecureRandom.bytes(33_000)
        pair.client.send(up)
        pair.server.send(down)
        try pair.exchange(pieces: size)
        #expect(pair.server.recorder.received == up)
        #expect(pair.client.recorder.received == down)
        #expect(pair.client.recorder.errors.isEmpty && pair.server.recorder.errors.isEmpty)
    }

    @Test func tellsWhatWasAgreedOn() throws {
        let authority = try TestCertificates.authority()
        let identity = try authority.issue(TestCertificates.request("localhost"))
        var server = TLSConfiguration.server(identity: identity)
        server.applicationProtocols = ["h2", "http/1.1"]
        var client = TLSConfiguration(role: .client(authoritiesPEM: authority.identity.certificateChainPEM))
        client.applicationProtocols = ["http/1.1", "h2"]
        let pair = try EmbeddedPair(
            server: try TLSContext(server), client: try TLSContext(client), serverName: "localhost")
        defer { pair.finish() }
        try pair.exchange()
        let seenByServer = try #require(pair.server.recorder.handshake)
        let seenByClient = try #require(pair.client.recorder.handshake)
        #expect(seenByServer.applicationProtocol == "h2")
        #expect(seenByClient.applicationProtocol == "h2")
        #expect(seenByServer.serverName == "localhost")
        #expect(seenByServer.peerFingerprint == nil)
        #expect(try seenByClient.peerFingerprint == identity.fingerprint())
        #expect(!seenByClient.cipherSuite.isEmpty)
    }

    @Test func goesOnWithoutAProtocolThatBothSpeak() throws {
        let pair = try EmbeddedPair.trusting(
            server: { $0.applicationProtocols = ["h2"] }, client: { $0.applicationProtocols = ["spdy"] })
        defer { pair.finish() }
        try pair.exchange()
        #expect(pair.server.recorder.handshake != nil)
        #expect(pair.server.recorder.handshake?.applicationProtocol == nil)
    }

    @Test func writesBeforeTheHandshakeWaitForIt() throws {
        let pair = try EmbeddedPair.trusting()
        defer { pair.finish() }
        let promise = pair.client.channel.eventLoop.makePromise(of: Void.self)
        let done = NIOLockedValueBox(false)
        promise.futureResult.whenSuccess { done.withLockedValue { $0 = true } }
        pair.client.channel.writeAndFlush(ByteBuffer(string: "early"), promise: promise)
        #expect(!done.withLockedValue { $0 })
        try pair.exchange()
        #expect(done.withLockedValue { $0 })
        #expect(pair.server.recorder.received == Array("early".utf8))
    }

    @Test func moreThanTheBoundBeforeTheHandshakeEndsTheConnection() throws {
        let pair = try EmbeddedPair.trusting(client: { $0.handshakeWriteLimit = 100 })
        defer { pair.finish() }
        pair.client.send([UInt8](repeating: 1, count: 60))
        #expect(pair.client.channel.isActive)
        pair.client.send([UInt8](repeating: 1, count: 60))
        #expect(pair.client.recorder.errors == [.writeBufferFull])
        #expect(!pair.client.channel.isActive)
    }

    @Test func everyWriteIsFulfilledInOrderAndSmallOnesShareARecord() throws {
        let pair = try EmbeddedPair.trusting()
        defer { pair.finish() }
        try pair.exchange()
        let fulfilled = NIOLockedValueBox<[Int]>([])
        for index in 0..<100 {
            let promise = pair.server.channel.eventLoop.makePromise(of: Void.self)
            promise.futureResult.whenSuccess { fulfilled.withLockedValue { $0.append(index) } }
            pair.server.channel.write(ByteBuffer(bytes: [UInt8(index)]), promise: promise)
        }
        #expect(fulfilled.withLockedValue { $0 }.isEmpty)
        pair.server.channel.flush()
        #expect(fulfilled.withLockedValue { $0 } == Array(0..<100))
        let output = try pair.server.takeOutput()
        // 100 bytes, the record's head of 5, its kind and its tag of 16.
        #expect(output.count == 122)
        try pair.client.receive(output)
        #expect(pair.client.recorder.received == (0..<100).map { UInt8($0) })
    }

    @Test func closingSaysGoodbyeAndTheOtherEndAnswers() throws {
        let pair = try EmbeddedPair.trusting()
        defer { pair.finish() }
        try pair.exchange()
        pair.client.send(Array("last words".utf8))
        pair.client.channel.close(promise: nil)
        try pair.server.receive(try pair.client.takeOutput())
        #expect(pair.server.recorder.received == Array("last words".utf8))
        #expect(pair.server.recorder.errors.isEmpty)
        #expect(!pair.server.channel.isActive)
        #expect(try !pair.server.takeOutput().isEmpty)
    }

    @Test func aConnectionThatEndsWithoutAGoodbyeIsTruncated() throws {
        let pair = try EmbeddedPair.trusting()
        try pair.exchange()
        pair.client.send([UInt8](repeating: 9, count: 1000))
        let record = try pair.client.takeOutput()
        try pair.server.receive(Array(record.dropLast()))
        #expect(pair.server.recorder.received.isEmpty)
        pair.server.loseConnection()
        #expect(pair.server.recorder.errors == [.truncated])
        pair.finish()
    }

    @Test func aConnectionThatEndsInTheHandshakeFailsIt() throws {
        let pair = try EmbeddedPair.trusting()
        let hello = try pair.client.takeOutput()
        try pair.server.receive(Array(hello.prefix(100)))
        pair.server.loseConnection()
        #expect(pair.server.recorder.errors == [.handshakeFailed("the peer ended the connection")])
        #expect(pair.server.recorder.handshake == nil)
        pair.finish()
    }

    @Test func aHandshakeThatTakesTooLongIsEnded() throws {
        let pair = try EmbeddedPair.trusting(server: { $0.handshakeTimeout = .seconds(3) })
        defer { pair.finish() }
        pair.server.channel.embeddedEventLoop.advanceTime(by: .milliseconds(2999))
        #expect(pair.server.channel.isActive)
        pair.server.channel.embeddedEventLoop.advanceTime(by: .milliseconds(1))
        #expect(pair.server.recorder.errors == [.handshakeTimedOut])
        #expect(!pair.server.channel.isActive)
    }

    @Test func aFinishedHandshakeHasNoDeadline() throws {
        let pair = try EmbeddedPair.trusting()
        defer { pair.finish() }
        try pair.exchange()
        pair.server.channel.embeddedEventLoop.advanceTime(by: .hours(1))
        #expect(pair.server.channel.isActive)
        #expect(pair.server.recorder.errors.isEmpty)
    }

    @Test func aForgedRecordEndsTheConnectionWithAnAlert() throws {
        let pair = try EmbeddedPair.trusting()
        defer { pair.finish() }
        try pair.exchange()
        pair.client.send(Array("good".utf8))
        try pair.exchange()
        pair.client.send(Array("to be forged".utf8))
        var record = try pair.client.takeOutput()
        record[record.count - 1] ^= 1
        try pair.server.receive(record)
        #expect(pair.server.recorder.received == Array("good".utf8))
        guard case .protocolViolation = try #require(pair.server.recorder.errors.first) else {
            Issue.record("\(pair.server.recorder.errors)")
            return
        }
        #expect(!pair.server.channel.isActive)
        try pair.client.receive(try pair.server.takeOutput())
        guard case .protocolViolation(let reason) = try #require(pair.client.recorder.errors.first) else {
            Issue.record("the client saw no alert: \(pair.client.recorder.errors)")
            return
        }
        #expect(reason.contains("bad record mac"))
    }

    @Test func plainHTTPOnThePortIsAHandshakeFailure() throws {
        let pair = try EmbeddedPair.trusting()
        defer { pair.finish() }
        try pair.server.receive(Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
        #expect(pair.server.recorder.errors == [.handshakeFailed("http request")])
    }

    @Test func writesAfterTheEndFailAndNothingIsSent() throws {
        let pair = try EmbeddedPair.trusting()
        defer { pair.finish() }
        try pair.exchange()
        pair.server.channel.close(promise: nil)
        _ = try pair.server.takeOutput()
        #expect(throws: (any Error).self) {
            try pair.server.channel.writeOutbound(ByteBuffer(string: "late"))
        }
        #expect(try pair.server.takeOutput().isEmpty)
    }

    @Test(arguments: [nil, "localhost", "127.0.0.1", "::1"])
    func acceptsTheNamesOfTheCertificate(name: String?) throws {
        let pair = try EmbeddedPair.trusting(serverName: name)
        defer { pair.finish() }
        try pair.exchange()
        #expect(pair.client.recorder.handshake != nil)
    }

    @Test(arguments: ["example.org", "localhost.example.org", "127.0.0.2"])
    func refusesAServerOfAnotherName(name: String) throws {
        let pair = try EmbeddedPair.trusting(serverName: name)
        defer { pair.finish() }
        try pair.exchange()
        #expect(pair.client.recorder.handshake == nil)
        guard case .handshakeFailed(let reason) = try #require(pair.client.recorder.errors.first) else {
            Issue.record("\(pair.client.recorder.errors)")
            return
        }
        #expect(reason.contains("mismatch"))
    }

    @Test func refusesAServerOfAnotherAuthorityOrOutOfDate() throws {
        let stranger = try TestCertificates.authority("Stranger")
        let authority = try TestCertificates.authority()
        for identity in [
            try stranger.issue(TestCertificates.request("localhost")),
            try authority.issue(TestCertificates.request("localhost", from: -3600, until: -60)),
            try authority.issue(TestCertificates.request("localhost", from: 600, until: 3600)),
        ] {
            let client = TLSConfiguration(role: .client(authoritiesPEM: authority.identity.certificateChainPEM))
            let pair = try EmbeddedPair(
                server: try TLSContext(.server(identity: identity)), client: try TLSContext(client))
            defer { pair.finish() }
            try pair.exchange()
            #expect(pair.client.recorder.handshake == nil)
            #expect(pair.server.recorder.received.isEmpty)
            guard case .handshakeFailed = try #require(pair.client.recorder.errors.first) else {
                Issue.record("\(pair.client.recorder.errors)")
                continue
            }
        }
    }

    @Test func halfClosureNeedsTheChannelsConsent() throws {
        // An embedded channel offers no half-closure, so the goodbye ends both ways and is answered.
        let pair = try EmbeddedPair.trusting()
        defer { pair.finish() }
        try pair.exchange()
        pair.client.channel.close(mode: .output, promise: nil)
        try pair.server.receive(try pair.client.takeOutput())
        #expect(!pair.server.recorder.inputEnded)
        #expect(!pair.server.channel.isActive)
    }
}

/// Mutual certificates, as between the nodes of a cluster.
@Suite struct MutualTLSTests {
    private struct Cluster {
        let authority: CertificateAuthority
        let server: TLSIdentity
        let client: TLSIdentity

        init() throws {
            authority = try TestCertificates.authority()
            server = try authority.issue(TestCertificates.request("node-1"))
            client = try authority.issue(TestCertificates.request("node-2"))
        }

        func pair(
            client identity: TLSIdentity?, version: TLSConfiguration.MinimumVersion = .tls13,
            accepts: (@Sendable ([UInt8]) -> Bool)? = nil
        ) throws -> EmbeddedPair {
            var server = TLSConfiguration(
                role: .server(clientAuthoritiesPEM: authority.identity.certificateChainPEM), identity: self.server)
            server.minimumVersion = version
            server.acceptsPeer = accepts
            let client = TLSConfiguration(
                role: .client(authoritiesPEM: authority.identity.certificateChainPEM), identity: identity)
            return try EmbeddedPair(server: try TLSContext(server), client: try TLSContext(client))
        }
    }

    @Test func bothEndsKnowEachOther() throws {
        let cluster = try Cluster()
        let expected = try cluster.client.fingerprint()
        let pair = try cluster.pair(client: cluster.client, accepts: { $0 == expected })
        defer { pair.finish() }
        try pair.exchange()
        #expect(pair.server.recorder.handshake?.peerFingerprint == expected)
        #expect(try pair.client.recorder.handshake?.peerFingerprint == cluster.server.fingerprint())
        pair.client.send([1, 2, 3])
        try pair.exchange()
        #expect(pair.server.recorder.received == [1, 2, 3])
    }

    @Test func aClientWithoutACertificateOrWithAStrangersIsRefused() throws {
        let cluster = try Cluster()
        let stranger = try TestCertificates.authority("Stranger").issue(TestCertificates.request("node-3"))
        for identity in [nil, stranger] {
            let pair = try cluster.pair(client: identity)
            defer { pair.finish() }
            try pair.exchange()
            pair.client.send([1])
            try pair.exchange()
            #expect(pair.server.recorder.handshake == nil)
            #expect(pair.server.recorder.received.isEmpty)
            guard case .handshakeFailed = try #require(pair.server.recorder.errors.first) else {
                Issue.record("\(pair.server.recorder.errors)")
                continue
            }
        }
    }

    @Test func aRevokedMemberIsRefusedThoughItsCertificateIsGood() throws {
        let cluster = try Cluster()
        let pair = try cluster.pair(client: cluster.client, accepts: { _ in false })
        defer { pair.finish() }
        pair.client.send([1])
        try pair.exchange()
        #expect(pair.server.recorder.handshake == nil)
        #expect(pair.server.recorder.errors == [.peerRefused])
        #expect(pair.server.recorder.received.isEmpty)
        #expect(!pair.server.channel.isActive)
    }

    @Test func anAuthorityOutOfStorageSignsTheSame() throws {
        let authority = try TestCertificates.authority()
        let restored = try CertificateAuthority(identity: authority.identity)
        #expect(restored.fingerprint == authority.fingerprint)
        let other = try TestCertificates.authority()
        #expect(throws: TLSError.self) {
            try CertificateAuthority(
                identity: TLSIdentity(
                    certificateChainPEM: authority.identity.certificateChainPEM,
                    privateKeyPEM: other.identity.privateKeyPEM))
        }
    }

    @Test func aNameCannotWriteOtherExtensions() throws {
        let authority = try TestCertificates.authority()
        for name in ["a,DNS:bank.example", "a\nIP:1.2.3.4", "a b", "", "é", "dirName:x/"] {
            var request = TestCertificates.request("localhost")
            request.hostNames = [name]
            #expect(throws: TLSError.self) { try authority.issue(request) }
        }
    }
}

/// What an unusable configuration says, before any connection.
@Suite struct TLSConfigurationTests {
    private func message(_ configuration: TLSConfiguration) -> String? {
        do {
            _ = try TLSContext(configuration)
            return nil
        } catch {
            return error.description
        }
    }

    @Test func namesWhatIsWrong() throws {
        let authority = try TestCertificates.authority()
        let good = try authority.issue(TestCertificates.request("localhost"))
        let other = try authority.issue(TestCertificates.request("localhost"))
        #expect(message(.server(identity: good)) == nil)
        #expect(message(TLSConfiguration(role: .server()))?.contains("needs a certificate") == true)
        var swapped = good
        swapped.privateKeyPEM = other.privateKeyPEM
        #expect(message(.server(identity: swapped))?.contains("does not belong") == true)
        var noCertificate = good
        noCertificate.certificateChainPEM = Array("nothing here".utf8)
        #expect(message(.server(identity: noCertificate))?.contains("no readable certificate") == true)
        var noKey = good
        noKey.privateKeyPEM = good.certificateChainPEM
        #expect(message(.server(identity: noKey))?.contains("private key") == true)
        var broken = good
        broken.certificateChainPEM = Array(good.certificateChainPEM.dropLast(40))
        #expect(message(.server(identity: broken)) != nil)
        #expect(message(TLSConfiguration(role: .client(authoritiesPEM: [])))?.contains("authorities") == true)
        var protocols = TLSConfiguration.server(identity: good)
        protocols.applicationProtocols = [""]
        #expect(message(protocols) != nil)
        protocols.applicationProtocols = (0..<30).map { "protocol-\($0)" }
        #expect(message(protocols)?.contains("too many") == true)
    }

    @Test func aMissingOrHugeFileIsNamed() throws {
        let directory = try TemporaryDirectory()
        let huge = try directory.write([UInt8](repeating: 65, count: 1 << 20 + 1), to: "huge.pem")
        #expect(throws: TLSError.configuration("cannot open /nowhere/cert.pem")) {
            try TLSContext(certificateFile: "/nowhere/cert.pem", privateKeyFile: huge)
        }
        #expect(throws: TLSError.configuration("\(huge) is larger than 1 MiB")) {
            try TLSContext(certificateFile: huge, privateKeyFile: huge)
        }
    }
}

/// Hostile bytes at every stage of a connection.
@Suite struct TLSFuzzTests {
    @Test func noInputBreaksAServer() async throws {
        let authority = try TestCertificates.authority()
        let identity = try authority.issue(TestCertificates.request("localhost"))
        let server = try TLSContext(.server(identity: identity))
        let client = try TLSContext(
            TLSConfiguration(role: .client(authoritiesPEM: authority.identity.certificateChainPEM)))
        let sample = try EmbeddedEnd(client)
        let hello = try sample.takeOutput()
        sample.finish()
        var generator = SeededGenerator(seed: 6)
        for await index in GivingWay(0..<FuzzBudget.inputs) {
            let end = try EmbeddedEnd(server)
            // Most inputs are refused by the head of the record; one in eight reaches the ClientHello's parser.
            let input = index % 8 == 0 ? generator.mutate(hello) : generator.bytes(upTo: 64)
            try end.receive(input, pieces: Int.random(in: 1...600, using: &generator))
            end.finish()
            #expect(end.recorder.handshake == nil && end.recorder.received.isEmpty)
            #expect(end.recorder.errors.count <= 1)
        }
    }

    @Test func noRecordBreaksAnOpenConnection() async throws {
        var generator = SeededGenerator(seed: 7)
        for await _ in GivingWay(0..<(FuzzBudget.inputs / 250)) {
            let pair = try EmbeddedPair.trusting()
            try pair.exchange()
            pair.client.send(generator.bytes(upTo: 2000))
            let record = generator.mutate(try pair.client.takeOutput())
            try pair.server.receive(record, pieces: Int.random(in: 1...600, using: &generator))
            #expect(pair.server.recorder.errors.count <= 1)
            pair.finish()
        }
    }
}
