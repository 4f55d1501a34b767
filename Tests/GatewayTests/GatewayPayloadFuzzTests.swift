import FluxCore
import FluxFuzzing
import FluxRealtime
import NIOCore
import NIOHTTP1
import Testing

@testable import FluxGateway

/// What a client sends beside frames: bodies of IDENTIFY and RESUME, the URL, the handshake's head. Hostile ones are refused
/// with a close code of the contract, never with a crash.
@Suite struct GatewayPayloadFuzzTests {
    private static let bodies: [JSON] = [
        [
            "token": "Bot abc.def.ghi", "intents": 53_608_447, "large_threshold": 250, "shard": [0, 1],
            "compress": true,
            "properties": ["os": "linux"], "capabilities": 1,
            "presence": ["status": "online", "since": nil, "afk": false, "activities": [["name": "x", "type": 0]]],
        ],
        ["token": "jwt", "session_id": "0123456789abcdef", "seq": 1337],
        ["token": nil, "session_id": "0123456789abcdef", "seq": nil],
    ]
    private static let codes: Set<GatewayCloseCode> = [
        .undecodable, .authenticationFailed, .invalidSequence, .invalidShard, .invalidIntents,
    ]

    private func check(_ refusal: SessionRefusal) {
        guard case .close(let code) = refusal, Self.codes.contains(code) else {
            Issue.record("\(refusal)")
            return
        }
    }

    @Test func bodiesOfIdentifyAndResume() {
        var generator = FuzzGenerator(seed: 61)
        var identified = 0
        var resumed = 0
        for _ in 0..<FuzzBudget.inputs {
            let body = generator.oneIn(20) ? generator.json() : generator.mutate(generator.pick(Self.bodies))
            do throws(SessionRefusal) {
                let payload = try IdentifyPayload(body)
                #expect((50...250).contains(payload.largeThreshold))
                if let shard = payload.shard { #expect(shard.index >= 0 && shard.index < shard.count) }
                for isBot in [true, false] {
                    let identity = GatewayIdentity(userID: UserID(1), isBot: isBot, loginID: nil)
                    do throws(SessionRefusal) { _ = try payload.request(as: identity) } catch { check(error) }
                }
                identified += 1
            } catch {
                check(error)
            }
            do throws(SessionRefusal) {
                let payload = try ResumePayload(body)
                #expect(payload.sequence <= UInt64(Int64.max))
                _ = SessionKey(payload.sessionIdentifier)
                resumed += 1
            } catch {
                check(error)
            }
        }
        #expect(identified > 0 && resumed > 0)
    }

    /// The same payload, whole and as part of a batch, as bytes that were damaged: whatever is taken for a payload is read by
    /// the real parser or refused by it.
    @Test func payloadsThatAreDamagedInTheirBytes() {
        var generator = FuzzGenerator(seed: 62)
        let alphabet = Array("{}[]\",:\\u0123456789eE+-.tfndop \u{0}".utf8) + [0xC3, 0xFF, 0xED, 0xA0, 0x80]
        var read = 0
        for _ in 0..<FuzzBudget.inputs {
            let body = generator.pick(Self.bodies).encoded()
            var bytes = Array("{\"op\":\(generator.pick([2, 6, 100])),\"d\":".utf8) + body + Array("}".utf8)
            if generator.oneIn(3) { bytes = Array("[".utf8) + bytes + Array(",".utf8) + bytes + Array("]".utf8) }
            bytes = generator.mutate(bytes, alphabet: alphabet)
            let buffer = ByteBuffer(bytes: bytes)
            let span = buffer.readableBytesUInt8Span
            guard let payloads = GatewayEnvelope.payloads(in: span, allowingBatch: true) else { continue }
            #expect(payloads.count <= GatewayEnvelope.maximumBatchedPayloads)
            for range in payloads {
                #expect(range.lowerBound >= 0 && range.upperBound <= bytes.count)
                guard let envelope = GatewayEnvelope(scanning: span, in: range), let place = envelope.body else {
                    continue
                }
                #expect(range.contains(place.lowerBound) && place.upperBound <= range.upperBound)
                guard let value = try? JSON.parse(Array(bytes[place])) else { continue }
                read += 1
                _ = try? IdentifyPayload(value)
                _ = try? ResumePayload(value)
            }
        }
        #expect(read > 0)
    }

    @Test func theURLOfTheUpgrade() {
        var generator = FuzzGenerator(seed: 63)
        for _ in 0..<FuzzBudget.inputs {
            let uri = generator.mutate(
                "/gateway?v=10&encoding=json&compress=zlib-stream&batch=1", alphabet: "?&=%/v10zlib-stream#\u{0}é")
            let query = GatewayQuery(uri: uri)
            if query.compression == .zlibStream { #expect(uri.contains("compress=zlib-stream")) }
            if query.isBatched { #expect(uri.contains("batch=1")) }
            if let refusal = query.refusal { #expect(refusal == .invalidVersion || refusal == .undecodable) }
        }
    }

    @Test func theHandshakesHeadAndItsCookies() {
        var generator = FuzzGenerator(seed: 64)
        var accepted = 0
        for _ in 0..<FuzzBudget.inputs {
            var fields = [
                ("Connection", "keep-alive, Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
                ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ]
            if generator.oneIn(2) {
                let place = generator.below(fields.count)
                fields[place].1 = generator.mutate(fields[place].1, alphabet: ", =;AZaz09+/\u{0}")
            }
            if generator.oneIn(4) { fields.append(generator.pick(fields)) }
            if generator.oneIn(6) { fields.remove(at: generator.below(fields.count)) }
            let head = HTTPRequestHead(
                version: .http1_1, method: generator.oneIn(9) ? .POST : .GET,
                uri: generator.pick(["/", "/gateway?v=10", "/x"]),
                headers: HTTPHeaders(fields))
            if case .accept(let key) = WebSocketHandshake(head) {
                accepted += 1
                #expect(key.utf8.count == 28 && key.hasSuffix("="))
            }
            let cookie = generator.mutate("a=b; flux_access=to.ke.n; flux_refresh=x", alphabet: ";= ,flux_access\"")
            let origin = GatewayClientOrigin(
                webOrigin: generator.oneIn(2) ? "https://flux.test" : "https://evil.test", cookies: [cookie])
            if let token = origin.accessToken(publicOrigin: "https://flux.test") {
                #expect(origin.webOrigin == "https://flux.test")
                // As bytes: a mark that combines with its neighbour is no boundary of a string.
                let values = cookie.utf8.split(separator: UInt8(ascii: ";"))
                #expect(values.contains { $0.suffix(token.utf8.count).elementsEqual(token.utf8) })
            }
        }
        #expect(accepted > FuzzBudget.inputs / 10)
    }
}
