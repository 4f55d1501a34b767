import FluxFuzzing
import Testing

@testable import FluxSecurity

@Suite struct DigestTests {
    @Test func sha256GivesTheVectorsOfFIPS180() {
        #expect(
            Hexadecimal.encode(Digest.sha256([]))
                == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(
            Hexadecimal.encode(Digest.sha256("abc".utf8))
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        let long = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"
        #expect(
            Hexadecimal.encode(Digest.sha256(Array(long.utf8)[...]))
                == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
    }

    @Test func sha1GivesTheHandshakeOfRFC6455() {
        let key = "dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        #expect(Hexadecimal.encode(Digest.sha1(key.utf8)) == "b37a4f2cc0624f1690f64606cf385945b2bec4ea")
    }

    /// RFC 4231, cases 1, 2, 3 and 6 (a key longer than a block).
    @Test(arguments: [
        (
            [UInt8](repeating: 0x0b, count: 20), Array("Hi There".utf8),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        ),
        (
            Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        ),
        (
            [UInt8](repeating: 0xaa, count: 20), [UInt8](repeating: 0xdd, count: 50),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
        ),
        (
            [UInt8](repeating: 0xaa, count: 131),
            Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        ),
    ])
    func hmacGivesTheVectorsOfRFC4231(key: [UInt8], message: [UInt8], expected: String) {
        #expect(Hexadecimal.encode(HMAC.sha256(key: key, message: message)) == expected)
    }

    @Test func hmacOfNothingUnderNoKeyIsNotThatOfTheCallBefore() {
        let empty = "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"
        _ = HMAC.sha256(key: [1, 2, 3], message: [4])
        #expect(Hexadecimal.encode(HMAC.sha256(key: [], message: [])) == empty)
    }

    @Test func constantTimeComparisonComparesEveryByte() {
        let secret = SecureRandom.bytes(64)
        #expect(ConstantTime.equal(secret, secret))
        #expect(ConstantTime.equal([], []))
        #expect(!ConstantTime.equal(secret, secret.dropLast()))
        for index in secret.indices {
            var other = secret
            other[index] ^= 0x80
            #expect(!ConstantTime.equal(secret, other))
        }
    }

    @Test func hexadecimalIsReadInEitherCaseAndNothingElseIs() {
        #expect(Hexadecimal.decode("00fFaA") == [0, 255, 170])
        #expect(Hexadecimal.decode("") == [])
        for wrong in ["0", "0g", "0x00", " 00", "00\n", "éé"] { #expect(Hexadecimal.decode(wrong) == nil) }
    }

    /// RFC 4648 section 10, without padding.
    @Test(arguments: [
        ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE"),
        ("foobar", "Zm9vYmFy"),
    ])
    func base64URLGivesTheVectorsOfRFC4648(plain: String, encoded: String) {
        #expect(Base64URL.encode(plain.utf8) == encoded)
        #expect(Base64URL.decode(encoded) == Array(plain.utf8))
    }

    @Test func base64URLHasOneSpellingForEachByteString() async {
        #expect(Base64URL.encode([0xFB, 0xFF]) == "-_8")
        for wrong in ["Zg==", "Zh", "Zm9", "Z", "Zm9vY", "+/8", "Zm 9v", "Zm9v\n", "Zmé"] {
            #expect(Base64URL.decode(wrong) == nil, "\(wrong)")
        }
        var generator = SeededGenerator(seed: 1)
        for await _ in GivingWay(0..<FuzzBudget.inputs) {
            let bytes = generator.bytes(upTo: 24)
            let text = Base64URL.encode(bytes)
            #expect(Base64URL.decode(text) == bytes)
            let mutated = generator.mutate(Array(text.utf8))
            if let decoded = Base64URL.decode(utf8: mutated) {
                #expect(Array(Base64URL.encode(decoded).utf8) == mutated)
            }
        }
    }

    @Test func randomBytesDiffer() {
        #expect(SecureRandom.bytes(0).isEmpty)
        #expect(SecureRandom.bytes(32) != SecureRandom.bytes(32))
        #expect(SecureRandom.text(byteCount: 32).utf8.count == 43)
    }
}
