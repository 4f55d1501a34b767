/// Writes small pictures of few colours as PNG without a compressor: the pixels go into stored deflate blocks (RFC 1951
/// 3.2.4), which is all that a picture of a few kilobytes needs.
enum PlainPNG {
    /// A colour.
    struct Color: Sendable {
        let red, green, blue: UInt8
    }

    /// A square picture of four colours, two bits a pixel. `pixel` gives the number of the colour at (x, y). The side is a
    /// multiple of 4 and at most 256.
    static func encode(side: Int, palette: [Color], pixel: (_ x: Int, _ y: Int) -> UInt8) -> [UInt8] {
        var raw: [UInt8] = []
        for y in 0..<side {
            raw.append(0)  // no filter
            for x in stride(from: 0, to: side, by: 4) {
                raw.append((0..<4).reduce(0) { $0 << 2 | pixel(x + $1, y) & 3 })
            }
        }
        var png: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
        // Width, height, 2 bits a sample, palette, deflate, adaptive filters, not interlaced.
        append("IHDR", big(UInt32(side)) + big(UInt32(side)) + [2, 3, 0, 0, 0], to: &png)
        append("PLTE", palette.flatMap { [$0.red, $0.green, $0.blue] }, to: &png)
        append("IDAT", stored(raw), to: &png)
        append("IEND", [], to: &png)
        return png
    }

    private static func append(_ kind: String, _ data: [UInt8], to png: inout [UInt8]) {
        let body = Array(kind.utf8) + data
        png += big(UInt32(data.count)) + body + big(crc(body))
    }

    /// A zlib stream (RFC 1950) of stored blocks.
    private static func stored(_ raw: [UInt8]) -> [UInt8] {
        var stream: [UInt8] = [0x78, 0x01]
        var rest = raw[...]
        repeat {
            let block = rest.prefix(0xFFFF)
            rest = rest.dropFirst(block.count)
            let length = UInt16(block.count)
            stream.append(rest.isEmpty ? 1 : 0)
            for number in [length, ~length] { stream += [UInt8(number & 0xFF), UInt8(number >> 8)] }
            stream += block
        } while !rest.isEmpty
        var low: UInt32 = 1
        var high: UInt32 = 0
        for byte in raw {
            low = (low + UInt32(byte)) % 65_521
            high = (high + low) % 65_521
        }
        return stream + big(high << 16 | low)
    }

    private static func crc(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(0xFFFF_FFFF as UInt32) { crc, byte in
            (0..<8).reduce(crc ^ UInt32(byte)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
        }
    }

    private static func big(_ number: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> UInt32($0)) }
    }
}
