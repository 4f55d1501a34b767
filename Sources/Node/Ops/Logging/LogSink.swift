import NIOConcurrencyHelpers

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Where finished log lines go: a file descriptor, one `write` a line, lines never mixed.
final class LogSink: Sendable {
    static let standardError = LogSink(descriptor: 2)

    private let descriptor: Int32
    private let gate = NIOLock()

    init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// Writes a line and its line feed. A descriptor that refuses loses the line: logging never stops the node.
    func write(_ line: String) {
        var bytes = Array(line.utf8)
        bytes.append(UInt8(ascii: "\n"))
        gate.withLock {
            var rest = bytes[...]
            while !rest.isEmpty {
                let written = rest.withUnsafeBytes { posixWrite(descriptor, $0.baseAddress, $0.count) }
                if written > 0 {
                    rest = rest.dropFirst(written)
                } else if errno != EINTR {
                    return
                }
            }
        }
    }
}

/// `write(2)`, whose name a method of ``LogSink`` hides.
private func posixWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}
