import Foundation
import NIOConcurrencyHelpers

/// What lies between the nodes of a ``ClusterProcess`` and between each of them and Postgres: proxies that pass bytes on, or
/// keep them where the network is cut. Nothing is closed by a cut, as nothing is where packets are lost, and what was kept
/// goes on its way when the network is mended.
final class TestNetwork: Sendable {
    /// An end of a connection.
    enum Place: Hashable, Sendable {
        /// A node, by its number in the cluster.
        case node(Int)
        case postgres
    }

    private struct Way: Hashable {
        let from: Place
        let to: Place
    }

    private struct State {
        var cut: Set<Way> = []
        var processes: [pid_t: Int] = [:]
        var proxies: [LinkProxy] = []
    }

    private let state = NIOLockedValueBox(State())

    /// Whether nothing gets from one place to the other. A connection that nobody is known to have made is never cut.
    func isCut(from: Place?, to: Place?) -> Bool {
        guard let from, let to else { return false }
        return state.withLockedValue { $0.cut.contains(Way(from: from, to: to)) }
    }

    // MARK: What is done to it

    /// Cuts the way from one place to the other; the way back stays.
    func cut(from: Place, to: Place) { change { $0.insert(Way(from: from, to: to)) } }

    /// Cuts both ways between two places.
    func cut(_ one: Place, _ other: Place) {
        change {
            $0.insert(Way(from: one, to: other))
            $0.insert(Way(from: other, to: one))
        }
    }

    /// Mends everything.
    func mend() { change { $0.removeAll() } }

    private func change(_ body: (inout Set<Way>) -> Void) {
        let proxies = state.withLockedValue { state in
            body(&state.cut)
            return state.proxies
        }
        for proxy in proxies { proxy.networkChanged() }
    }

    // MARK: Who is where

    func add(_ proxy: LinkProxy) { state.withLockedValue { $0.proxies.append(proxy) } }

    /// The process is that node, so that its connections are known by it.
    func note(process: pid_t, asNode number: Int) { state.withLockedValue { $0.processes[process] = number } }

    /// The node whose process holds the connection of the loopback with that port at its own end.
    func place(ofPort port: Int) -> Place? {
        guard let socket = Self.socket(ofPort: port) else { return nil }
        let known = state.withLockedValue(\.processes)
        return known.first { Self.process($0.key, holds: socket) }.map { .node($0.value) }
    }

    private static func socket(ofPort port: Int) -> Substring? {
        // A page a read: the file has no size by which all of it could be read at once.
        guard let file = FileHandle(forReadingAtPath: "/proc/net/tcp") else { return nil }
        var bytes = Data()
        while let page = try? file.read(upToCount: 65_536), !page.isEmpty { bytes += page }
        let table = String(decoding: bytes, as: UTF8.self)
        let address = "0100007F:" + String(format: "%04X", port)
        // Number, own address, the other's, state, queues, timer, retransmissions, user, time-out, inode.
        let sockets = table.split(separator: "\n").lazy.map { $0.split(separator: " ") }
        return sockets.first { $0.count > 9 && $0[1] == address }?[9]
    }

    private static func process(_ process: pid_t, holds socket: Substring) -> Bool {
        let directory = "/proc/\(process)/fd"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.contains {
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(directory)/\($0)")) == "socket:[\(socket)]"
        }
    }

    /// Ends all proxies.
    func stop() async {
        for proxy in state.withLockedValue({ $0.proxies }) { await proxy.stop() }
    }
}
