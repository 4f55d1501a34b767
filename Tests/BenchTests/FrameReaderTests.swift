import FluxFuzzing
import NIOCore
import Testing

@testable import flux_bench

@Suite struct FrameReaderTests {
    private func read(_ bytes: [UInt8], from start: Int = 0) -> FrameReader.Reading {
        bytes.withUnsafeBytes { FrameReader.read($0, from: start) }
    }

    private func frame(_ first: UInt8, length: Int) -> [UInt8] {
        var bytes: [UInt8] = [first]
        if length < 126 {
            bytes.append(UInt8(length))
        } else if length <= 0xFFFF {
            bytes += [126, UInt8(length >> 8), UInt8(length & 0xFF)]
        } else {
            bytes.append(127)
            bytes += (0..<8).reversed().map { UInt8(truncatingIfNeeded: length >> (8 * $0)) }
        }
        return bytes + [UInt8](repeating: 7, count: length)
    }

    @Test(arguments: [0, 1, 125, 126, 127, 65_535, 65_536, 100_000]) func framesOfAllLengths(length: Int) {
        let bytes = [9, 9] + frame(0x81, length: length) + [0x81]
        let end = bytes.count - 1
        #expect(
            read(bytes, from: 2)
                == .frame(.init(isFinal: true, opcode: 1, payload: end - length..<end, end: end)))
        #expect(read(bytes, from: end) == .needsMore)
        #expect(read(Array(bytes.dropLast(2)), from: 2) == .needsMore)
    }

    @Test(
        arguments: [
            [0xC1, 0], [0x81, 0x80, 0, 0, 0, 0], [0x83, 0], [0x8B, 0], [0x08, 0], [0x89, 126, 0, 126],
            [0x81, 126, 0, 5],
            [0x81, 127, 0, 0, 0, 0, 0, 0, 1, 0], [0x81, 127, 0xFF, 0, 0, 0, 0, 0, 0, 0],
        ] as [[UInt8]]) func whatBreaksTheProtocol(bytes: [UInt8])
    {
        guard case .violation = read(bytes) else {
            Issue.record("\(bytes) was read as \(read(bytes))")
            return
        }
    }

    @Test func whatAClientWritesIsMasked() {
        var buffer = ByteBuffer()
        let text = Array("0123456789".utf8)
        ClientFrame.write(ClientFrame.text, text, mask: 0x0102_0304, into: &buffer)
        let bytes = Array(buffer.readableBytesView)
        #expect(Array(bytes.prefix(6)) == [0x81, 0x8A, 1, 2, 3, 4])
        #expect(bytes.dropFirst(6).enumerated().map { $1 ^ [1, 2, 3, 4][$0 & 3] } == text)
    }

    /// Whatever comes: a frame within the bytes, more is needed, or a violation; and no other reader of bytes traps.
    @Test func randomBytesNeverTrap() async {
        var generator = FuzzGenerator(seed: 91)
        let alphabet = Array(#"{}[]",:\dtsop0123456789_EMSAG"#.utf8) + [0x81, 0x82, 0x89, 126, 127, 0, 255]
        let frame = frame(0x81, length: 3)
        let dispatch = Array(#"{"op":0,"s":12,"t":"MESSAGE_CREATE","d":{"id":"5","a":["\"",{}]}}"#.utf8)
        for round in 0..<FuzzBudget.inputs {
            if round % 512 == 0 { await Task.yield() }
            let bytes = generator.mutate(generator.oneIn(2) ? frame : dispatch, alphabet: alphabet)
            if case .frame(let frame) = read(bytes), frame.end > bytes.count { Issue.record("\(bytes)") }
            bytes.withUnsafeBytes { bytes in
                _ = Upgrade.read(bytes)
                if let head = DispatchHead.read(bytes, from: 0), head.body >= bytes.count {
                    Issue.record("\(Array(bytes))")
                }
                if let end = JSONExtent.end(of: bytes, from: 0), end > bytes.count { Issue.record("\(Array(bytes))") }
            }
        }
    }
}
