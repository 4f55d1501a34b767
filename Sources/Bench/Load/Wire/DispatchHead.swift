/// What stands before the body of a dispatch, `{"op":0,"s":17,"t":"MESSAGE_CREATE","d":`, found without parsing.
///
/// Exactly this form is recognised, which is how a Flux writes it; any other spelling of the same payload is left to the
/// parser, so that recognition decides about speed alone.
struct DispatchHead: Equatable {
    var sequence: Int
    /// Where the kind's name lies.
    var kind: Range<Int>
    /// Where the body begins.
    var body: Int

    private static let start: [UInt8] = Array(#"{"op":0,"s":"#.utf8)
    private static let middle: [UInt8] = Array(#","t":""#.utf8)
    private static let end: [UInt8] = Array(#"","d":"#.utf8)

    /// Reads the head that begins at `offset`; nil when something else is there.
    static func read(_ bytes: UnsafeRawBufferPointer, from offset: Int) -> DispatchHead? {
        var position = offset
        guard skip(start, bytes, &position) else { return nil }
        var sequence = 0
        let digits = position
        while position < bytes.count, position - digits < 18, case let digit = bytes[position] &- 0x30, digit < 10 {
            sequence = sequence * 10 + Int(digit)
            position += 1
        }
        guard position > digits, skip(middle, bytes, &position) else { return nil }
        let kind = position
        while position < bytes.count, isNameByte(bytes[position]) { position += 1 }
        let kindEnd = position
        guard skip(end, bytes, &position), position < bytes.count else { return nil }
        return DispatchHead(sequence: sequence, kind: kind..<kindEnd, body: position)
    }

    @inline(__always)
    private static func isNameByte(_ byte: UInt8) -> Bool {
        (0x41...0x5A).contains(byte) || byte == 0x5F || (0x30...0x39).contains(byte)
    }

    @inline(__always)
    private static func skip(_ text: [UInt8], _ bytes: UnsafeRawBufferPointer, _ position: inout Int) -> Bool {
        guard bytes.count - position >= text.count else { return false }
        for index in text.indices where bytes[position + index] != text[index] { return false }
        position += text.count
        return true
    }
}
