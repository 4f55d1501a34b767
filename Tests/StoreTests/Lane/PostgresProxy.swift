import FluxStore
import Foundation
import NIOConcurrencyHelpers

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Stands between lanes and a Postgres on a Unix socket, reads what the lanes send, and does to their commits what a bad
/// network would do, at exactly the chosen place.
final class PostgresProxy: Sendable {
    /// What happens to a batch whose fence has been sent, before its COMMIT is.
    enum Fault: Sendable {
        case none
        /// The COMMIT reaches the server this much later.
        case stall(Duration)
        /// The COMMIT never reaches the server; both ends lose the connection.
        case cutBeforeCommit
        /// The COMMIT is carried out, then both ends lose the connection; the answer never arrives.
        case loseAnswer
    }

    private struct State {
        var onCommit: @Sendable () -> Fault = { .none }
        var isRefusing = false
        var refusals = 0
        var isClosed = false
        var links: [Int: Link] = [:]
        var count = 0
    }

    private let listener: Int32
    private let server: String
    private let state = NIOLockedValueBox(State())
    /// Where the lanes connect to: the database at `url`, which names a Unix socket.
    let url: String

    init(to url: String) throws {
        func value(_ keyword: String) -> String {
            url.firstMatch(of: try! Regex("\(keyword)='?([^' ]+)'?")).map { String($0.output[1].substring ?? "") } ?? ""
        }
        server = "\(value("host"))/.s.PGSQL.\(value("port"))"
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &address) { [listener] pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 64) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        guard isListening else { throw StoreError.unavailable("no port: \(errno)") }
        let port = UInt16(bigEndian: address.sin_port)
        self.url =
            "host=127.0.0.1 port=\(port) user=\(value("user")) dbname=\(value("dbname")) sslmode=disable gssencmode=disable"
        Thread.detachNewThread { self.accept() }
    }

    /// Says what is done to each batch from now on.
    func onCommit(_ fault: @escaping @Sendable () -> Fault) { state.withLockedValue { $0.onCommit = fault } }

    /// Cuts every connection, and, while `refusing`, every new one.
    func cutAll(refusing: Bool = false) {
        let links = state.withLockedValue { state in
            state.isRefusing = refusing
            return state.links.values
        }
        for link in links { link.cut() }
    }

    /// How many connections were refused.
    var refusals: Int { state.withLockedValue(\.refusals) }

    func close() {
        state.withLockedValue { $0.isClosed = true }
        cutAll(refusing: true)
        shutdown(listener, Int32(SHUT_RDWR))
        Glibc.close(listener)
    }

    // MARK: Threads

    private func accept() {
        while true {
            let client = Glibc.accept(listener, nil, nil)
            guard client >= 0 else {
                if state.withLockedValue({ $0.isClosed }) { return }
                continue
            }
            guard let upstream = connectToServer(), let link = admit(client, upstream) else {
                Glibc.close(client)
                continue
            }
            Thread.detachNewThread {
                self.pumpUp(link)
                link.ended()
            }
            Thread.detachNewThread {
                self.pumpDown(link)
                link.ended()
            }
        }
    }

    private func admit(_ client: Int32, _ upstream: Int32) -> Link? {
        state.withLockedValue { state in
            guard !state.isRefusing else {
                state.refusals += 1
                Glibc.close(upstream)
                return nil
            }
            state.count += 1
            let number = state.count
            let link = Link(client: client, server: upstream) { [weak self] in
                self?.state.withLockedValue { $0.links[number] = nil }
            }
            state.links[number] = link
            return link
        }
    }

    private func connectToServer() -> Int32? {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(server.utf8)) }
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
        if isConnected { return descriptor }
        Glibc.close(descriptor)
        return nil
    }

    /// Client to server, message by message.
    private func pumpUp(_ link: Link) {
        var reader = FrontendReader()
        while let bytes = link.read(from: link.client) {
            reader.append(bytes)
            var ready: [UInt8] = []
            while let message = reader.next() {
                if message.isCommitOfBatch {
                    guard link.write(ready, to: link.server) else { return link.cut() }
                    ready = []
                    switch state.withLockedValue({ $0.onCommit })() {
                    case .none: break
                    case .stall(let duration): Thread.sleep(forTimeInterval: Double(duration.components.seconds))
                    case .cutBeforeCommit: return link.cut()
                    case .loseAnswer: link.loseAnswer()
                    }
                }
                ready += message.bytes
            }
            guard link.write(ready, to: link.server) else { break }
        }
        link.cut()
    }

    private func pumpDown(_ link: Link) {
        var seen: [UInt8] = []
        let commit = Array("COMMIT".utf8) + [0]
        while let bytes = link.read(from: link.server) {
            if link.isLosingAnswer {
                seen += bytes
                if seen.firstRange(of: commit) != nil { break }
            } else if !link.write(bytes, to: link.client) {
                break
            }
        }
        link.cut()
    }

    // MARK: A connection

    private final class Link: Sendable {
        let client: Int32
        let server: Int32
        private let state = NIOLockedValueBox((threads: 2, isLosingAnswer: false))
        private let whenClosed: @Sendable () -> Void

        init(client: Int32, server: Int32, whenClosed: @escaping @Sendable () -> Void) {
            self.client = client
            self.server = server
            self.whenClosed = whenClosed
        }

        var isLosingAnswer: Bool { state.withLockedValue { $0.isLosingAnswer } }
        func loseAnswer() { state.withLockedValue { $0.isLosingAnswer = true } }

        func cut() {
            shutdown(client, Int32(SHUT_RDWR))
            shutdown(server, Int32(SHUT_RDWR))
        }

        /// One of the two threads has ended; the last closes the sockets, so that no number is used again too early.
        func ended() {
            guard
                state.withLockedValue({ state in
                    state.threads -= 1
                    return state.threads == 0
                })
            else { return }
            whenClosed()
            Glibc.close(client)
            Glibc.close(server)
        }

        func read(from descriptor: Int32) -> [UInt8]? {
            var bytes = [UInt8](repeating: 0, count: 65536)
            let count = Glibc.read(descriptor, &bytes, bytes.count)
            return count > 0 ? Array(bytes[..<count]) : nil
        }

        func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
            var sent = 0
            while sent < bytes.count {
                let count = bytes[sent...].withUnsafeBytes {
                    send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                guard count > 0 else { return false }
                sent += count
            }
            return true
        }
    }
}

/// Takes the client's side of Postgres's protocol apart into messages.
private struct FrontendReader {
    struct Message {
        var bytes: [UInt8]
        /// The binding of the COMMIT of a pipeline that has a lane's fence in it.
        var isCommitOfBatch = false
    }

    private var buffer: [UInt8] = []
    private var hasStarted = false
    private var hasFence = false

    mutating func append(_ bytes: [UInt8]) { buffer += bytes }

    mutating func next() -> Message? {
        // The first message has no type.
        let head = hasStarted ? 1 : 0
        guard buffer.count >= head + 4 else { return nil }
        let length = buffer[head..<head + 4].reduce(0) { $0 << 8 | Int($1) } + head
        guard buffer.count >= length else { return nil }
        var message = Message(bytes: Array(buffer[..<length]))
        buffer.removeFirst(length)
        guard hasStarted else {
            hasStarted = true
            return message
        }
        switch message.bytes[0] {
        case UInt8(ascii: "B"):
            let names = message.bytes[5...].split(separator: 0, maxSplits: 2, omittingEmptySubsequences: false)
            let statement = names.count > 1 ? String(decoding: names[1], as: UTF8.self) : ""
            if statement == "lane.fence" { hasFence = true }
            message.isCommitOfBatch = hasFence && statement == "commit"
        case UInt8(ascii: "S"): hasFence = false
        default: break
        }
        return message
    }
}
