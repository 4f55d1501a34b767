import FluxCore
import FluxFuzzing
import Testing

@testable import FluxSecurity

@Suite struct JSONWebTokenTests {
    static let now = Timestamp(milliseconds: 1_800_000_000_000)

    private static func claims() -> AccessClaims {
        AccessClaims(userID: Snowflake(42), loginID: Snowflake(7), tokenID: "abc", at: now)
    }

    /// RFC 8037 appendix A.4 signs with EdDSA; here the text is ours, the key that of the RFC.
    @Test func spellsTheClaimsOfTheContract() throws {
        let seed = try #require(Base64URL.decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"))
        let key = try Ed25519PrivateKey(rawRepresentation: seed)
        let text = try JSONWebToken.sign(Self.claims(), keyID: "k1", with: key)
        let parts = text.split(separator: ".").compactMap { Base64URL.decode($0) }
        #expect(String(decoding: parts[0], as: UTF8.self) == #"{"alg":"EdDSA","typ":"JWT","kid":"k1"}"#)
        #expect(
            String(decoding: parts[1], as: UTF8.self)
                == #"{"sub":"42","sid":"7","iat":1800000000,"exp":1800000900,"jti":"abc"}"#)
        let token = try JSONWebToken(decoding: text)
        #expect(token.keyID == "k1")
        #expect(token.claims == Self.claims())
        #expect(token.isSigned(by: key.publicKey))
        #expect(try !token.isSigned(by: Ed25519PrivateKey.generate().publicKey))
    }

    @Test func checksTheSignatureOfRFC8037() throws {
        // Appendix A.4 and A.5: the signed text is not one of our tokens, but the signature of its bytes must hold.
        let point = try #require(Base64URL.decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"))
        let key = try Ed25519PublicKey(rawRepresentation: point)
        let signed = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
        let signature = try #require(
            Base64URL.decode(
                "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"))
        #expect(key.isValid(signature: signature, for: signed.utf8))
    }

    @Test func refusesOtherAlgorithmsAndUnknownRules() {
        let payload = Base64URL.encode(#"{"sub":"42","sid":"7","iat":1,"exp":2,"jti":"a"}"#.utf8)
        let signature = Base64URL.encode([UInt8](repeating: 0, count: 64))
        for header in [
            #"{"alg":"none","kid":"k"}"#, #"{"alg":"HS256","kid":"k"}"#, #"{"alg":"EdDSA","kid":"k","crit":["b64"]}"#,
            #"{"kid":"k"}"#,
        ] {
            #expect(throws: JSONWebToken.Failure.unsupported) {
                try JSONWebToken(decoding: "\(Base64URL.encode(header.utf8)).\(payload).\(signature)")
            }
        }
    }

    @Test func refusesClaimsThatWeNeverIssue() {
        let header = Base64URL.encode(#"{"alg":"EdDSA","kid":"k"}"#.utf8)
        let signature = Base64URL.encode([UInt8](repeating: 0, count: 64))
        for payload in [
            "{}", "[]", "null", #"{"sub":42,"sid":"7","iat":1,"exp":2,"jti":"a"}"#,
            #"{"sub":"0","sid":"7","iat":1,"exp":2,"jti":"a"}"#,
            #"{"sub":"42","sid":"7","iat":2,"exp":1,"jti":"a"}"#,
            #"{"sub":"42","sid":"7","iat":-1,"exp":1,"jti":"a"}"#,
            #"{"sub":"42","sid":"7","iat":1,"exp":100000,"jti":"a"}"#,
            #"{"sub":"42","sid":"7","iat":1.5,"exp":2,"jti":"a"}"#,
            #"{"sub":"42","sid":"7","iat":9223372036854775806,"exp":9223372036854775807,"jti":"a"}"#,
        ] {
            #expect(throws: JSONWebToken.Failure.malformed, "\(payload)") {
                try JSONWebToken(decoding: "\(header).\(Base64URL.encode(payload.utf8)).\(signature)")
            }
        }
    }

    @Test func decodingIsTotalAndForgeriesFail() async throws {
        let ring = SigningKeyRing([try SigningKey.generate(at: Self.now, signsFrom: Self.now)])
        let text = try ring.issue(userID: Snowflake(42), loginID: Snowflake(7), at: Self.now)
        let good = try ring.verify(text, at: Self.now)
        var generator = SeededGenerator(seed: 3)
        for await index in GivingWay(0..<FuzzBudget.inputs) {
            let bytes = index % 4 == 0 ? generator.bytes(upTo: 400) : generator.mutate(Array(text.utf8))
            let input = String(decoding: bytes, as: UTF8.self)
            guard input != text else { continue }
            do {
                let claims = try ring.verify(input, at: Self.now)
                Issue.record("\(input) was accepted as \(claims), beside \(good)")
            } catch {
                #expect(error != .signingFailed)
            }
        }
        #expect(throws: JSONWebToken.Failure.malformed) {
            try ring.verify(String(repeating: "a", count: 1 << 20), at: Self.now)
        }
    }
}

@Suite struct SigningKeyRingTests {
    static let start = Timestamp(milliseconds: 1_800_000_000_000)

    private static func key(signsFrom: Timestamp) throws -> SigningKey {
        try SigningKey.generate(at: signsFrom, signsFrom: signsFrom)
    }

    @Test func acceptsATokenUntilItsEndAndTheStatedSkew() throws {
        let ring = SigningKeyRing([try Self.key(signsFrom: Self.start)])
        let text = try ring.issue(userID: Snowflake(42), loginID: Snowflake(7), at: Self.start)
        let lifetime = AccessClaims.lifetimeSeconds
        let skew = AccessClaims.clockSkewSeconds
        #expect(try ring.verify(text, at: Self.start).userID == Snowflake(42))
        #expect(try ring.verify(text, at: Self.start.adding(seconds: -skew)).loginID == Snowflake(7))
        _ = try ring.verify(text, at: Self.start.adding(seconds: lifetime + skew - 1))
        #expect(throws: JSONWebToken.Failure.outOfDate) {
            try ring.verify(text, at: Self.start.adding(seconds: lifetime + skew))
        }
        #expect(throws: JSONWebToken.Failure.outOfDate) {
            try ring.verify(text, at: Self.start.adding(seconds: -skew - 1))
        }
    }

    @Test func rotatesWithoutEverRefusingAGoodToken() throws {
        var ring = SigningKeyRing()
        var now = Self.start
        var issued: [(text: String, at: Timestamp)] = []
        var signers: Set<String> = []
        // Four weeks, looked at every ten minutes.
        for _ in 0..<(4 * 7 * 24 * 6) {
            if let successor = try ring.successor(at: now) { ring.insert(successor) }
            ring.prune(at: now)
            let key = try #require(ring.signingKey(at: now))
            signers.insert(key.keyID)
            #expect(ring.signingKey(at: now)?.keyID == key.keyID)
            issued.append((try ring.issue(userID: Snowflake(1), loginID: Snowflake(2), at: now), now))
            issued.removeAll { $0.at.adding(seconds: AccessClaims.lifetimeSeconds) <= now }
            for token in issued { _ = try ring.verify(token.text, at: now) }
            now = now.adding(seconds: 600)
        }
        #expect((4...5).contains(signers.count))
    }

    @Test func aSuccessorIsKnownToEveryoneBeforeItSigns() throws {
        let first = try Self.key(signsFrom: Self.start)
        let ring = SigningKeyRing([first])
        #expect(try ring.successor(at: Self.start.adding(seconds: 3600)) == nil)
        let late = Self.start.adding(seconds: SigningKey.rotationSeconds + 12345)
        let successor = try #require(try ring.successor(at: late))
        #expect(successor.signsFrom >= late.adding(seconds: SigningKey.announcementSeconds))
        #expect(SigningKeyRing([first, successor]).signingKey(at: late)?.keyID == first.keyID)
        #expect(SigningKeyRing([first, successor]).signingKey(at: successor.signsFrom)?.keyID == successor.keyID)
        #expect(try SigningKeyRing([first, successor]).successor(at: late) == nil)
    }

    @Test func aKeyOutOfTheStoreIsTheSameKey() throws {
        let key = try Self.key(signsFrom: Self.start)
        let restored = try SigningKey(
            rawPrivateKey: key.privateKey.rawRepresentation, createdAt: key.createdAt, signsFrom: key.signsFrom,
            checksUntil: key.checksUntil)
        #expect(restored == key)
        let text = try SigningKeyRing([key]).issue(userID: Snowflake(1), loginID: Snowflake(2), at: Self.start)
        #expect(try SigningKeyRing([restored]).verify(text, at: Self.start).userID == Snowflake(1))
    }

    @Test func tellsAnUnknownKeyFromABadSignature() throws {
        let key = try Self.key(signsFrom: Self.start)
        let text = try SigningKeyRing([key]).issue(userID: Snowflake(1), loginID: Snowflake(2), at: Self.start)
        #expect(throws: JSONWebToken.Failure.unknownKey(key.keyID)) {
            try SigningKeyRing([try Self.key(signsFrom: Self.start)]).verify(text, at: Self.start)
        }
        #expect(throws: JSONWebToken.Failure.unknownKey(key.keyID)) {
            try SigningKeyRing([key]).verify(text, at: key.checksUntil)
        }
    }

    @Test func anEmptyRingSignsNothingAndAsksForAKey() throws {
        let ring = SigningKeyRing()
        #expect(throws: JSONWebToken.Failure.signingFailed) {
            try ring.issue(userID: Snowflake(1), loginID: Snowflake(2), at: Self.start)
        }
        let first = try #require(try ring.successor(at: Self.start))
        #expect(first.signsFrom == Self.start)
    }
}

@Suite struct BotTokenTests {
    static let now = Timestamp(milliseconds: 1_800_000_000_000)

    @Test func hasTheFormThatLibrariesRead() throws {
        let id = Snowflake(1_234_567_890_123_456_789)
        let token = BotToken.mint(for: id, at: Self.now)
        let parts = token.text.split(separator: ".")
        #expect(parts.count == 3)
        #expect(Base64URL.decode(parts[0]) == Array(id.description.utf8))
        #expect(!token.text.contains("="))
        #expect(parts[1].count >= 6)
        #expect(parts[2].count >= 27)
        #expect(token.text.utf8.count == 77)
        let parsed = try #require(BotToken(parsing: token.text))
        #expect(parsed == token)
        #expect(parsed.hash == token.hash)
    }

    @Test func noTwoAreEqual() {
        let first = BotToken.mint(for: Snowflake(5), at: Self.now)
        let second = BotToken.mint(for: Snowflake(5), at: Self.now)
        #expect(first != second)
        #expect(first.hash != second.hash)
    }

    @Test(arguments: [
        "", "..", "a.b.c", "NQ.aaaaaa", "NQ.aaaaa.aaaaaaaaaaaaaaaaaaaaaaaaaaa", "NQ.aaaaaa.aaaaaaaaaaaaaaaaaaaaaaaaaa",
        "NQ==.aaaaaa.aaaaaaaaaaaaaaaaaaaaaaaaaaa", "MDU.aaaaaa.aaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "MA.aaaaaa.aaaaaaaaaaaaaaaaaaaaaaaaaaa", "NQ.aaaaaa.aaaaaaaaaaaaaaaaaaaaaaaaaa+",
        "NQ.aaaaaa.aaaaaaaaaaaaaaaaaaaaaaaaaaa.", "Bot NQ.aaaaaa.aaaaaaaaaaaaaaaaaaaaaaaaaaa",
    ])
    func refusesEveryOtherForm(text: String) {
        #expect(BotToken(parsing: text) == nil)
    }

    @Test func parsingIsTotal() async {
        let valid = Array(BotToken.mint(for: Snowflake(1_234_567_890_123), at: Self.now).text.utf8)
        var generator = SeededGenerator(seed: 4)
        for await index in GivingWay(0..<FuzzBudget.inputs) {
            let bytes = index % 4 == 0 ? generator.bytes(upTo: 300) : generator.mutate(valid)
            let text = String(decoding: bytes, as: UTF8.self)
            if let token = BotToken(parsing: text) { #expect(token.text == text && token.botID.rawValue > 0) }
        }
        #expect(BotToken(parsing: String(repeating: "a.", count: 1 << 20)) == nil)
    }

    @Test func refreshTokensHaveOneForm() async throws {
        let token = RefreshToken.mint()
        #expect(token.text.utf8.count == 43)
        #expect(try #require(RefreshToken(parsing: token.text)).hash == token.hash)
        #expect(RefreshToken.mint() != token)
        #expect(RefreshToken(parsing: token.text + "A") == nil)
        #expect(RefreshToken(parsing: String(token.text.dropLast())) == nil)
        #expect(RefreshToken(parsing: String(token.text.dropLast()) + "=") == nil)
        var generator = SeededGenerator(seed: 5)
        for await _ in GivingWay(0..<FuzzBudget.inputs) {
            let text = String(decoding: generator.mutate(Array(token.text.utf8)), as: UTF8.self)
            if let other = RefreshToken(parsing: text) { #expect(other.text == text) }
        }
    }
}
