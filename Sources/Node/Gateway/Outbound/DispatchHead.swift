import FluxCore

/// What stands before the body of a dispatch: `{"op":0,"s":17,"t":"MESSAGE_CREATE","d":`.
///
/// Written for every subscriber of every event, so it is put together from ready-made pieces without an allocation.
enum DispatchHead {
    /// Bytes that the longest head takes.
    static let maximumByteCount = 128

    private static let start: [UInt8] = Array("{\"op\":0,\"s\":".utf8)

    /// For each kind of event what follows the sequence number, found by the kind's raw value.
    private static let ends: [[UInt8]] = {
        var ends: [[UInt8]] = []
        for kind in EventKind.allCases {
            let index = Int(kind.rawValue)
            while ends.count <= index { ends.append([]) }
            ends[index] = Array(",\"t\":\"\(kind.name)\",\"d\":".utf8)
            precondition(start.count + 20 + ends[index].count <= maximumByteCount, "\(kind.name) is too long a name")
        }
        return ends
    }()

    /// Writes the head to the front of `bytes`, which must hold ``maximumByteCount`` bytes.
    /// - Returns: how many bytes it is.
    static func write(_ kind: EventKind, sequence: UInt64, to bytes: UnsafeMutableRawBufferPointer) -> Int {
        var count = start.count
        start.withUnsafeBytes { bytes.copyMemory(from: $0) }
        count += writeDecimal(sequence, to: UnsafeMutableRawBufferPointer(rebasing: bytes[count...]))
        ends[Int(kind.rawValue)].withUnsafeBytes { end in
            UnsafeMutableRawBufferPointer(rebasing: bytes[count...]).copyMemory(from: end)
            count += end.count
        }
        return count
    }

    /// Writes a number in decimal. - Returns: how many digits it has, at most 20.
    private static func writeDecimal(_ number: UInt64, to bytes: UnsafeMutableRawBufferPointer) -> Int {
        var digits = 1
        var rest = number
        while rest >= 10 {
            rest /= 10
            digits += 1
        }
        rest = number
        for index in stride(from: digits - 1, through: 0, by: -1) {
            let (quotient, remainder) = rest.quotientAndRemainder(dividingBy: 10)
            bytes[index] = UInt8(ascii: "0") + UInt8(remainder)
            rest = quotient
        }
        return digits
    }
}
