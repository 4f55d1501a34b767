import FluxCore
import FluxFuzzing
import Foundation
import NIOCore
import Testing

@testable import FluxAPI

@Suite struct ImageStoreTests {
    private func uri(_ bytes: [UInt8], type: String = "image/png") -> JSON {
        .string("data:\(type);base64,\(Data(bytes).base64EncodedString())")
    }

    @Test func imagesAreReplacedByTheirHashes() async throws {
        let directory = try TestDirectory()
        let storage = try DirectoryStorage(root: directory.path)
        let store = ImageStore(storage: storage)
        let picture = DefaultAvatar.pictures[0]
        let body: JSON = ["username": "a", "avatar": uri(picture), "banner": nil, "icon": uri(picture)]
        let replaced = try await store.replaceImages(in: body, keys: ["avatar", "banner", "splash"])
        let hash = try #require(replaced["avatar"]?.stringValue)
        #expect(hash.utf8.count == 32)
        #expect(replaced["banner"]?.isNull == true)
        #expect(replaced["splash"] == nil)
        #expect(replaced["username"] == "a")
        // Keys that are not asked for stay as they are.
        #expect(replaced["icon"] == body["icon"])
        let key = try #require(ImageHash(hash)?.key)
        let object = try #require(try await storage.open(key, range: nil))
        #expect(object.size == picture.count)
        let animation = try await store.replaceImages(
            in: ["avatar": uri(ImageHeaderTests.gif(frames: 2))], keys: ["avatar"])
        #expect(animation["avatar"]?.stringValue?.hasPrefix("a_") == true)
        let still = try await store.replaceImages(
            in: ["avatar": uri(ImageHeaderTests.gif(frames: 1))], keys: ["avatar"])
        #expect(still["avatar"]?.stringValue?.hasPrefix("a_") == false)
    }

    @Test func whatIsNoImageIsRefused() async throws {
        let directory = try TestDirectory()
        let store = ImageStore(storage: try DirectoryStorage(root: directory.path))
        let svg = uri(Array("<svg/>".utf8), type: "image/svg+xml")
        var huge = DefaultAvatar.pictures[0]
        huge.replaceSubrange(16..<20, with: [0, 1, 0, 0])
        let hash: JSON = "0123456789abcdef0123456789abcdef"
        for bad in [svg, uri([]), uri(huge), hash, 5, "data:image/png;base64,!!!", "data:image/png,abc", [:]] as [JSON]
        {
            await #expect {
                try await store.replaceImages(in: ["avatar": bad], keys: ["avatar"])
            } throws: { ($0 as? APIError)?.code == 50035 }
        }
        #expect(directory.files.isEmpty)
    }

    @Test func base64IsReadAsItIsWritten() {
        var generator = SeededGenerator(seed: 41)
        for count in 0..<200 {
            let bytes = (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
            let text = Data(bytes).base64EncodedString()
            #expect(DataURI.decode("data:;base64,\(text)") == bytes)
            #expect(DataURI.decode("data:image/png;BASE64,\(text.filter { $0 != "=" })") == bytes)
        }
        for bad in [
            "data:;base64,A", "data:;base64,A===", "data:;base64,A=AA", "data:;base64,AAAA=", "data:,AAAA", "x",
        ] {
            #expect(DataURI.decode(bad) == nil)
        }
    }

    @Test func hashesAreHashes() {
        let digits = "0123456789abcdef0123456789abcdef"
        #expect(ImageHash(digits)?.key?.description == "images/01/\(digits)")
        #expect(ImageHash("a_" + digits)?.key == ImageHash(digits)?.key)
        for bad in [
            "", digits.uppercased(), String(digits.dropLast()), "b_" + digits, digits + "0",
            "../" + digits.dropFirst(3),
        ] {
            #expect(ImageHash(bad) == nil)
        }
    }

    @Test func defaultAvatarsAreSoundPNGs() throws {
        for picture in DefaultAvatar.pictures {
            let header = try #require(ImageHeader(picture))
            #expect((header.format, header.width, header.height) == (.png, 128, 128))
            #expect(picture.suffix(8) == [0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82])
        }
        #expect(Set(DefaultAvatar.pictures).count == 6)
    }
}
