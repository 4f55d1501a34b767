/// The pictures of users who have none: a light figure on one of six colours, drawn once when first asked for.
enum DefaultAvatar {
    /// The PNGs, numbered as clients number them.
    static let pictures: [[UInt8]] = colors.map(draw)

    private static let side = 128
    private static let colors: [PlainPNG.Color] = [
        .init(red: 0x4F, green: 0x6D, blue: 0xB8), .init(red: 0x6B, green: 0x72, blue: 0x80),
        .init(red: 0x3C, green: 0x9A, blue: 0x6B), .init(red: 0xD0, green: 0x8A, blue: 0x2E),
        .init(red: 0xC2, green: 0x4E, blue: 0x4E), .init(red: 0xA8, green: 0x55, blue: 0x9E),
    ]

    private static func draw(_ background: PlainPNG.Color) -> [UInt8] {
        let light = PlainPNG.Color(red: 0xF2, green: 0xF4, blue: 0xF8)
        return PlainPNG.encode(side: side, palette: [background, light, light, light]) { x, y in
            // A head, and shoulders that the lower edge cuts.
            isInside(x, y, centerY: 50, radius: 22) || isInside(x, y, centerY: 124, radius: 42) ? 1 : 0
        }
    }

    private static func isInside(_ x: Int, _ y: Int, centerY: Int, radius: Int) -> Bool {
        // Doubled, so that the centre can lie between two pixels.
        let dx = 2 * x + 1 - side
        let dy = 2 * y + 1 - 2 * centerY
        return dx * dx + dy * dy <= 4 * radius * radius
    }
}
