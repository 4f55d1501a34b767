import FluxFuzzing
import FluxSecurity
import NIOCore
import Testing

@testable import FluxCluster

@Suite struct RawFrameTests {
    private func randomFrame(using random: inout SeededGenerator) -> LinkFrame {
        let identity = NodeIdentity(name: "node", id: NodeID(rawValue: 3)!, incarnation: 4)
        switch Int.random(in: 0...8, using: &random) {
        case 0:
            return .hello(
                LinkHello(
                    versions: .own, cluster: ClusterID(bytes: [UInt8](repeating: 1, count: 16))!, identity: identity,
                    target: NodeID(rawValue: 1)!, lane: Bool.random(using: &random) ? .control : .bulk,
                    link: Bool.random(using: &random) ? 7 : nil, window: .random(in: 0 ... .max, using: &random),
                    features: LinkFeatures(rawValue: .random(in: 0 ... .max, using: &random))))
        case 1: return .welcome(LinkWelcome(version: .current, identity: identity, link: 1, window: 9))
        case 2: return .ready
        case 3: return .refusal(.version(.own))
        case 4: return .refusal(.malformed("how"))
        case 5: return .credit(.random(in: 0 ... .max, using: &random))
        case 6: return .ping(.random(in: 0 ... .max, using: &random))
        case 7: return .pong(1)
        default:
            return .data(
                (0..<Int.random(in: 0...300, using: &random)).map { _ in .random(in: 0...255, using: &random) })
        }
    }

    /// Gives the bytes to a decoder in pieces, and takes what comes out until the first refusal.
    private func decode(
        _ bytes: [UInt8], pieces: Int, using random: inout SeededGenerator
    ) -> (frames: [LinkFrame], refusal: LinkRefusal?) {
        var decoder = RawFrameDecoder(limit: 400)
        var frames: [LinkFrame] = []
        var rest = bytes[...]
        do throws(LinkRefusal) {
            while !rest.isEmpty {
                let piece = rest.prefix(Int.random(in: 1...pieces, using: &random))
                rest = rest.dropFirst(piece.count)
                decoder.append(ByteBuffer(bytes: piece))
                while let raw = try decoder.next() {
                    do throws(WireError) { frames.append(try LinkFrame(raw)) } catch { throw .malformed("\(error)") }
                }
                if decoder.bufferedByteCount > 404 { throw .malformed("keeps too much") }
            }
        } catch {
            return (frames, error)
        }
        return (frames, nil)
    }

    @Test func framesSurviveAnyCut() {
        var random = SeededGenerator(seed: 11)
        for _ in 0..<FuzzBudget.inputs / 50 {
            let frames = (0..<Int.random(in: 1...8, using: &random)).map { _ in randomFrame(using: &random) }
            var buffer = ByteBuffer()
            for frame in frames { frame.encode(into: &buffer) }
            let decoded = decode(Array(buffer.readableBytesView), pieces: 100, using: &random)
            guard decoded.refusal == nil, decoded.frames == frames else {
                Issue.record("\(frames) became \(decoded)")
                return
            }
        }
    }

    @Test func damageIsRefusedOrReadAsSomethingElse() {
        var random = SeededGenerator(seed: 12)
        var refused = 0
        for _ in 0..<FuzzBudget.inputs {
            var buffer = ByteBuffer()
            for _ in 0..<2 { randomFrame(using: &random).encode(into: &buffer) }
            var bytes = Array(buffer.readableBytesView)
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 0..<min(bytes.count, 40), using: &random)] = .random(in: 0...255, using: &random)
            }
            let decoded = decode(bytes, pieces: 500, using: &random)
            if let refusal = decoded.refusal {
                refused += 1
                if refusal == .malformed("keeps too much") {
                    Issue.record("the decoder keeps more than a frame")
                    return
                }
            }
        }
        #expect(refused > FuzzBudget.inputs / 3)
    }

    @Test func lengthsThatAreOnlyClaimedCostNothing() throws {
        var decoder = RawFrameDecoder(limit: 16 * 1024 * 1024)
        decoder.append(ByteBuffer(bytes: [0xFF, 0xFF, 0xFF, 0x00, 8]))
        #expect(try decoder.next() == nil)
        #expect(decoder.bufferedByteCount == 5)
        for bytes: [UInt8] in [[0, 0, 0, 0], [0xFF, 0xFF, 0xFF, 0xFF]] {
            var decoder = RawFrameDecoder(limit: 16 * 1024 * 1024)
            decoder.append(ByteBuffer(bytes: bytes))
            #expect(throws: LinkRefusal.self) { try decoder.next() }
        }
    }

    @Test func thePreambleIsKnownFromItsFirstByte() throws {
        for text in ["G", "GET / HTTP/1.1", "FLUY", "FLUXX", "\0", "FLUX "] {
            var decoder = RawFrameDecoder(limit: 400)
            decoder.append(ByteBuffer(string: text))
            #expect(throws: LinkRefusal.notFlux) { try decoder.preamble() }
        }
        var decoder = RawFrameDecoder(limit: 400)
        for byte in "FLUX".utf8 {
            decoder.append(ByteBuffer(bytes: [byte]))
            #expect(try decoder.preamble() == nil)
        }
        decoder.append(ByteBuffer(string: "J"))
        #expect(try decoder.preamble() == .join)
    }

    @Test func reasonsSurviveAndUnknownOnesAreKept() throws {
        let reasons: [LinkRefusal] = [
            .notFlux, .malformed("x"), .version(.own), .wrongCluster, .wrongNode, .certificateMissing,
            .certificateRefused, .certificateMismatch, .duplicate, .staleIncarnation, .noSuchLink, .replaced,
            .otherLaneEnded, .overloaded, .timedOut, .silent, .creditOverdrawn, .stopping, .insecure, .congested,
            .other(200),
        ]
        for reason in reasons { #expect(try LinkRefusal(decoding: reason.encoded()) == reason) }
        #expect(Set(reasons.map(\.label)).count == reasons.count)
        #expect(Set(reasons.map(\.description)).count == reasons.count)
        // A newer reason may carry what this build does not know.
        #expect(try LinkRefusal(decoding: [99, 2, 0, 0, 0, 1, 2]) == .other(99))
    }
}
