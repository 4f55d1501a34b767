import FluxFuzzing
import Testing

@testable import FluxAPI

@Suite struct ImageHeaderTests {
    static func gif(frames: Int) -> [UInt8] {
        var bytes = Array("GIF89a".utf8) + [3, 0, 2, 0, 0x80, 0, 0] + [UInt8](repeating: 9, count: 6)
        for _ in 0..<frames {
            bytes += [0x21, 0xF9, 4, 0, 0, 0, 0, 0]
            bytes += [0x2C, 0, 0, 0, 0, 3, 0, 2, 0, 0x81] + [UInt8](repeating: 7, count: 12) + [2, 2, 0x4C, 1, 0]
        }
        return bytes + [0x3B]
    }

    static let png: [UInt8] =
        [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13] + Array("IHDR".utf8) + [0, 0, 1, 0, 0, 0, 0, 128]

    static let jpeg: [UInt8] =
        [0xFF, 0xD8, 0xFF, 0xE0, 0, 4, 1, 2, 0xFF, 0xFF, 0xC4, 0, 3, 0, 0xFF, 0xC2, 0, 17, 8, 1, 2, 3, 4]

    static func webP(_ chunk: String, _ data: [UInt8]) -> [UInt8] {
        Array("RIFF".utf8) + [0, 0, 0, 0] + Array("WEBP".utf8) + Array(chunk.utf8) + [0, 0, 0, 0] + data
    }

    @Test func sizesAreRead() throws {
        let png = try #require(ImageHeader(Self.png))
        #expect((png.format, png.width, png.height) == (.png, 256, 128))
        let jpeg = try #require(ImageHeader(Self.jpeg))
        #expect((jpeg.format, jpeg.width, jpeg.height) == (.jpeg, 0x304, 0x102))
        let lossy = try #require(ImageHeader(Self.webP("VP8 ", [0, 0, 0, 0x9D, 1, 0x2A, 0x40, 0x41, 0x20, 0])))
        #expect((lossy.format, lossy.width, lossy.height) == (.webp, 320, 32))
        let lossless = try #require(ImageHeader(Self.webP("VP8L", [0x2F, 0x3F, 0xC1, 0x07, 0])))
        #expect((lossless.width, lossless.height) == (320, 32))
        let extended = try #require(ImageHeader(Self.webP("VP8X", [2, 0, 0, 0, 0x3F, 1, 0, 0x1F, 0, 0])))
        #expect((extended.width, extended.height, extended.isAnimated) == (320, 32, true))
    }

    @Test func onlyAnimationsAreAnimated() throws {
        for (frames, isAnimated) in [(0, false), (1, false), (2, true), (5, true)] {
            let header = try #require(ImageHeader(Self.gif(frames: frames)))
            #expect((header.format, header.width, header.height) == (.gif, 3, 2))
            #expect(header.isAnimated == isAnimated)
        }
    }

    @Test func otherBytesAreNoImage() {
        let others: [[UInt8]] = [
            [], [0xFF, 0xD8, 0xFF], Array("<svg xmlns=\"http://www.w3.org/2000/svg\"/>".utf8), Array("GIF89a".utf8),
            Array(Self.jpeg.dropLast()), Self.webP("VP8Z", []),
        ]
        for bytes in others { #expect(ImageHeader(bytes) == nil) }
        #expect(ImageHeader(Array(Self.png.dropLast(4)) + [0, 0, 0, 0]) == nil)
    }

    @Test func anyBytesAreReadOrRefused() async {
        var generator = SeededGenerator(seed: 31)
        let seeds = [
            Self.png, Self.jpeg, Self.gif(frames: 2), Self.webP("VP8 ", [0, 0, 0, 0x9D, 1, 0x2A, 64, 1, 32, 0]),
            Self.webP("VP8X", [2, 0, 0, 0, 0x3F, 1, 0, 0x1F, 0, 0]), Self.webP("VP8L", [0x2F, 0x3F, 0xC1, 0x07, 0]),
        ]
        var accepted = 0
        for await _ in GivingWay(0..<FuzzBudget.inputs) {
            var bytes = seeds.randomElement(using: &generator) ?? []
            bytes.mutate(alphabet: [0, 0xFF, 0xC0, 0xDA, 0x21, 0x2C, 0x80], using: &generator)
            guard let header = ImageHeader(bytes) else { continue }
            accepted += 1
            #expect(header.width > 0 && header.height > 0)
        }
        #expect(accepted > 0)
    }
}
