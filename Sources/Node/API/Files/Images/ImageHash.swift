import FluxSecurity

/// The name of an avatar, icon or banner: 32 hex digits of its content's SHA-256, `a_` in front if it is an animated GIF
/// (protocol 5.12).
///
/// The name is made from the content, so the same picture is kept once, whoever uses it, and never changes.
struct ImageHash: Hashable, Sendable {
    /// The name as it stands in user, guild and member objects.
    let text: String

    /// The name of an image's bytes.
    init(of bytes: [UInt8], header: ImageHeader) {
        let digits = Hexadecimal.encode(Digest.sha256(bytes)).prefix(32)
        text = header.format == .gif && header.isAnimated ? "a_\(digits)" : String(digits)
    }

    /// Reads a name; nil if it is none.
    init?(_ text: some StringProtocol) {
        let digits = text.hasPrefix("a_") ? text.dropFirst(2)[...] : text[...]
        guard digits.utf8.count == 32,
            digits.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
        else { return nil }
        self.text = String(text)
    }

    /// Where the image is kept.
    var key: ObjectKey? {
        let digits = text.suffix(32)
        return ObjectKey(["images", String(digits.prefix(2)), String(digits)])
    }
}
