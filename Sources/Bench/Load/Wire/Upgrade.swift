/// The WebSocket handshake, from the client's side.
enum Upgrade {
    // A key that every connection uses shows as well that the server computes the answer from it.
    private static let key = "dGhlIHNhbXBsZSBub25jZQ=="
    private static let accepted = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    /// The longest answer that is read.
    static let maximumHead = 16 << 10

    enum Answer: Equatable {
        case needsMore
        /// Upgraded; so many bytes were the head.
        case upgraded(Int)
        case refused(String)
    }

    static func request(to target: Target, isBatched: Bool) -> String {
        """
        GET /?v=10&encoding=json\(isBatched ? "&batch=1" : "") HTTP/1.1\r
        Host: \(target.authority)\r
        Upgrade: websocket\r
        Connection: Upgrade\r
        Sec-WebSocket-Key: \(key)\r
        Sec-WebSocket-Version: 13\r
        \r

        """
    }

    static func read(_ bytes: UnsafeRawBufferPointer) -> Answer {
        let end: [UInt8] = [13, 10, 13, 10]
        let searched = bytes.prefix(maximumHead)
        guard searched.count >= 4 else { return .needsMore }
        var position = 0
        while position + 4 <= searched.count {
            if searched[position] == 13, searched[position..<position + 4].elementsEqual(end) {
                let head = String(decoding: searched[..<position], as: UTF8.self)
                guard head.hasPrefix("HTTP/1.1 101 "), head.contains(accepted) else {
                    return .refused(String(head.prefix(300)))
                }
                return .upgraded(position + 4)
            }
            position += 1
        }
        return searched.count == maximumHead ? .refused("an endless head") : .needsMore
    }
}
