/// What the first bytes of an image say about it. A pure reader of the four formats that profiles and icons may have.
///
/// Total: any bytes give a header or nil, in time linear in them; nothing is decoded. An image cut short gives what its
/// header says as far as it is there.
public struct ImageHeader: Sendable, Hashable {
    /// A format, with the extension and type that it is served under.
    public enum Format: String, Sendable, Hashable {
        case png, jpeg, gif, webp

        /// The media type.
        public var contentType: String { "image/\(rawValue)" }
    }

    /// The format, known by its magic bytes.
    public let format: Format
    /// Pixels from left to right, at least 1.
    public let width: Int
    /// Pixels from top to bottom, at least 1.
    public let height: Int
    /// Whether the bytes show more than one frame; known of GIF and WebP.
    public let isAnimated: Bool

    /// Reads the header of an image; nil if it is none of the four or has no size.
    public init?(_ bytes: [UInt8]) {
        guard let format = Self.format(of: bytes) else { return nil }
        self.format = format
        let found: (width: Int, height: Int, isAnimated: Bool)?
        switch format {
        case .png: found = Self.png(bytes)
        case .jpeg: found = Self.jpeg(bytes)
        case .gif: found = Self.gif(bytes)
        case .webp: found = Self.webP(bytes)
        }
        guard let found, found.width > 0, found.height > 0 else { return nil }
        (width, height, isAnimated) = found
    }

    /// The format that the first 12 bytes stand for.
    public static func format(of bytes: some Collection<UInt8>) -> Format? {
        let start = Array(bytes.prefix(12))
        if start.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) { return .png }
        if start.starts(with: [0xFF, 0xD8, 0xFF]) { return .jpeg }
        if start.starts(with: Array("GIF87a".utf8)) || start.starts(with: Array("GIF89a".utf8)) { return .gif }
        if start.count == 12, start.starts(with: Array("RIFF".utf8)), start[8...].elementsEqual(Array("WEBP".utf8)) {
            return .webp
        }
        return nil
    }

    /// The number that stands at an offset; nil if it lies behind the end.
    private static func big(_ bytes: [UInt8], _ offset: Int, _ count: Int) -> Int? {
        guard offset >= 0, offset + count <= bytes.count else { return nil }
        return bytes[offset..<offset + count].reduce(0) { $0 << 8 | Int($1) }
    }

    private static func little(_ bytes: [UInt8], _ offset: Int, _ count: Int) -> Int? {
        guard offset >= 0, offset + count <= bytes.count else { return nil }
        return bytes[offset..<offset + count].reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    /// IHDR is the first chunk of every PNG (PNG 3rd edition, 11.2.1).
    private static func png(_ bytes: [UInt8]) -> (width: Int, height: Int, isAnimated: Bool)? {
        guard big(bytes, 12, 4) == 0x4948_4452, let width = big(bytes, 16, 4), let height = big(bytes, 20, 4),
            width <= Int(Int32.max), height <= Int(Int32.max)
        else { return nil }
        return (width, height, false)
    }

    /// The size stands in the first frame header, behind any number of other segments (ITU T.81 B.2).
    private static func jpeg(_ bytes: [UInt8]) -> (width: Int, height: Int, isAnimated: Bool)? {
        var offset = 2
        while let marker = big(bytes, offset, 2), marker >> 8 == 0xFF {
            let kind = marker & 0xFF
            if kind == 0xFF {
                // Fill bytes before a marker.
                offset += 1
                continue
            }
            if kind == 0x01 || (0xD0...0xD8).contains(kind) {
                // Markers that stand alone.
                offset += 2
                continue
            }
            // Scan data or the end: no frame header can follow.
            if kind == 0xD9 || kind == 0xDA { return nil }
            guard let length = big(bytes, offset + 2, 2), length >= 2 else { return nil }
            // SOF0 to SOF15 without DHT, JPG and DAC, which lie among them.
            if (0xC0...0xCF).contains(kind), kind != 0xC4, kind != 0xC8, kind != 0xCC {
                guard let height = big(bytes, offset + 5, 2), let width = big(bytes, offset + 7, 2) else { return nil }
                return (width, height, false)
            }
            offset += 2 + length
        }
        return nil
    }

    /// The logical screen, and whether a second image follows the first one (GIF89a 17 to 27).
    private static func gif(_ bytes: [UInt8]) -> (width: Int, height: Int, isAnimated: Bool)? {
        guard let width = little(bytes, 6, 2), let height = little(bytes, 8, 2), let flags = big(bytes, 10, 1) else {
            return nil
        }
        var offset = 13 + colorTableBytes(flags)
        var frames = 0
        while frames < 2, let introducer = big(bytes, offset, 1) {
            switch introducer {
            case 0x21:
                offset += 2
            case 0x2C:
                frames += 1
                guard let flags = big(bytes, offset + 9, 1) else { return (width, height, false) }
                offset += 10 + colorTableBytes(flags) + 1
            default:
                return (width, height, false)
            }
            while let length = big(bytes, offset, 1) {
                offset += 1 + length
                if length == 0 { break }
            }
        }
        return (width, height, frames > 1)
    }

    private static func colorTableBytes(_ flags: Int) -> Int { flags & 0x80 == 0 ? 0 : 3 << ((flags & 7) + 1) }

    /// The first chunk is lossy, lossless or extended (RFC 9649 2.4 to 2.7).
    private static func webP(_ bytes: [UInt8]) -> (width: Int, height: Int, isAnimated: Bool)? {
        switch big(bytes, 12, 4) {
        case 0x5650_3820:  // "VP8 ": 3 bytes of frame tag, 3 of start code, then the size in 14 bits each
            guard big(bytes, 23, 3) == 0x9D012A, let width = little(bytes, 26, 2), let height = little(bytes, 28, 2)
            else {
                return nil
            }
            return (width & 0x3FFF, height & 0x3FFF, false)
        case 0x5650_384C:  // "VP8L": a signature byte, then the size less one in 14 bits each
            guard big(bytes, 20, 1) == 0x2F, let packed = little(bytes, 21, 4) else { return nil }
            return ((packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1, false)
        case 0x5650_3858:  // "VP8X": flags, then the size of the canvas less one in 24 bits each
            guard let flags = big(bytes, 20, 1), let width = little(bytes, 24, 3), let height = little(bytes, 27, 3)
            else {
                return nil
            }
            return (width + 1, height + 1, flags & 0x02 != 0)
        default:
            return nil
        }
    }
}
