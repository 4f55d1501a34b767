/// The outside of a client's payload: its opcode and where its body lies, found in one pass without building anything.
///
/// Most payloads are heartbeats and sent messages. Reading only the envelope spares them a tree of values: a heartbeat
/// needs one number, and a message's body goes on as bytes. Total: any bytes give an envelope or nil. What is skipped
/// is not validated, so a body is parsed by a real parser before anybody believes it.
struct GatewayEnvelope: Equatable {
    /// Payloads that one frame may carry in batch mode, either way.
    static let maximumBatchedPayloads = 64

    /// The value of `op`.
    var opcode: Int
    /// Where the value of `d` lies, nil when the key is absent. White space around it is not part of it.
    var body: Range<Int>?

    /// - Parameters:
    ///   - bytes: a text that holds a payload.
    ///   - range: where the payload lies in it.
    /// - Returns: nil when it is no JSON object with an integer `op`.
    init?(scanning bytes: Span<UInt8>, in range: Range<Int>) {
        var scanner = JSONSkimmer(range)
        var opcode: Int?
        var body: Range<Int>?
        guard scanner.take(UInt8(ascii: "{"), from: bytes) else { return nil }
        if !scanner.take(UInt8(ascii: "}"), from: bytes) {
            repeat {
                guard let key = scanner.takeString(from: bytes), scanner.take(UInt8(ascii: ":"), from: bytes),
                    let value = scanner.takeValue(from: bytes)
                else { return nil }
                if Self.isOpcodeKey(bytes, key) {
                    guard let number = Self.integer(bytes, value) else { return nil }
                    opcode = Int(exactly: number)
                } else if Self.isBodyKey(bytes, key) {
                    body = value
                }
            } while scanner.take(UInt8(ascii: ","), from: bytes)
            guard scanner.take(UInt8(ascii: "}"), from: bytes) else { return nil }
        }
        guard scanner.isAtEnd(of: bytes), let opcode else { return nil }
        self.opcode = opcode
        self.body = body
    }

    /// Where the payloads of a frame lie: one, or in batch mode the elements of an array of 1 to 64 (protocol 10.4).
    /// - Returns: nil when it is an array that is empty, too long or malformed, or when there is nothing at all.
    static func payloads(in bytes: Span<UInt8>, allowingBatch: Bool) -> [Range<Int>]? {
        let whole = 0..<bytes.count
        var scanner = JSONSkimmer(whole)
        guard allowingBatch, scanner.take(UInt8(ascii: "["), from: bytes) else { return [whole] }
        var payloads: [Range<Int>] = []
        repeat {
            guard payloads.count < maximumBatchedPayloads, let payload = scanner.takeValue(from: bytes) else {
                return nil
            }
            payloads.append(payload)
        } while scanner.take(UInt8(ascii: ","), from: bytes)
        guard scanner.take(UInt8(ascii: "]"), from: bytes), scanner.isAtEnd(of: bytes) else { return nil }
        return payloads
    }

    /// The whole number that a value is, nil when it is none or does not fit.
    static func integer(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int64? {
        var index = range.lowerBound
        guard index < range.upperBound else { return nil }
        let isNegative = bytes[index] == UInt8(ascii: "-")
        if isNegative { index += 1 }
        guard index < range.upperBound else { return nil }
        // Gathered as a negative number, of which there is one more.
        var value: Int64 = 0
        while index < range.upperBound {
            let digit = bytes[index]
            guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, underflow) = product.subtractingReportingOverflow(Int64(digit - UInt8(ascii: "0")))
            guard !overflow, !underflow else { return nil }
            value = sum
            index += 1
        }
        if isNegative { return value }
        return value == .min ? nil : -value
    }

    /// Whether a value is the literal `null`.
    static func isNull(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        range.count == 4 && bytes[range.lowerBound] == UInt8(ascii: "n")
            && bytes[range.lowerBound + 1] == UInt8(ascii: "u")
            && bytes[range.lowerBound + 2] == UInt8(ascii: "l") && bytes[range.lowerBound + 3] == UInt8(ascii: "l")
    }

    private static func isOpcodeKey(_ bytes: Span<UInt8>, _ key: Range<Int>) -> Bool {
        key.count == 2 && bytes[key.lowerBound] == UInt8(ascii: "o") && bytes[key.lowerBound + 1] == UInt8(ascii: "p")
    }

    private static func isBodyKey(_ bytes: Span<UInt8>, _ key: Range<Int>) -> Bool {
        key.count == 1 && bytes[key.lowerBound] == UInt8(ascii: "d")
    }
}
