import NIOConcurrencyHelpers

/// Which loop of the node each session lives on, or is on its way to. Asked only when a session begins, ends, moves or is
/// resumed.
final class SessionDirectory: Sendable {
    private let loops = NIOLockedValueBox<[SessionKey: Int]>([:])

    func set(_ key: SessionKey, loop: Int) { loops.withLockedValue { $0[key] = loop } }
    func remove(_ key: SessionKey) { loops.withLockedValue { $0[key] = nil } }
    func loop(of key: SessionKey) -> Int? { loops.withLockedValue { $0[key] } }
    var count: Int { loops.withLockedValue { $0.count } }
}
