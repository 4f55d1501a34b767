import FluxCore
import FluxSecurity
import FluxStore
import NIOConcurrencyHelpers

/// Issues and checks access tokens (protocol 10.1) with the keys that all nodes share through the store.
///
/// A check needs no lookup. A token that was checked once is remembered, because an Ed25519 check takes a hundred times as
/// long as finding it; its date is looked at each time. A key that this node has not heard of sends it to the store, at most
/// once a second.
public final class AccessTokens: Sendable {
    private struct State: Sendable {
        var ring = SigningKeyRing()
        var checked = GenerationCache<String, AccessClaims>(generationLimit: 8192)
        var lastRead: Timestamp?
    }

    private static let readPauseSeconds: Int64 = 1

    private let keys: SigningKeys
    private let now: @Sendable () -> Timestamp
    private let state = NIOLockedValueBox(State())

    /// Knows no key before ``refresh()``.
    public init(keys: SigningKeys, now: @escaping @Sendable () -> Timestamp = Timestamp.now) {
        self.keys = keys
        self.now = now
    }

    /// Reads the keys, and makes and stores the next one where it is due: at the start of a node, then about once a minute.
    public func refresh() async throws {
        try await readKeys()
        let moment = now()
        guard let successor = try state.withLockedValue({ try $0.ring.successor(at: moment) }) else { return }
        try await keys.insert(
            StoredSigningKey(
                keyID: successor.keyID, privateKey: successor.privateKey.rawRepresentation,
                createdAt: successor.createdAt, signsFrom: successor.signsFrom, checksUntil: successor.checksUntil))
        try await keys.removeExpired(at: moment)
        // What the store holds counts, also where another node was quicker.
        try await readKeys()
    }

    /// A new token of that login.
    public func issue(userID: UserID, loginID: LoginID) throws(APIError) -> String {
        let moment = now()
        let ring = state.withLockedValue(\.ring)
        do {
            return try ring.issue(userID: userID, loginID: loginID, at: moment)
        } catch {
            // Only a node without a key cannot sign: it has not reached the store yet.
            throw .serviceUnavailable
        }
    }

    /// The claims of a good token, nil for any other text. Whether its login has ended is not known here.
    public func verify(_ text: String) async throws -> AccessClaims? {
        guard text.utf8.count <= JSONWebToken.byteLimit else { return nil }
        let moment = now()
        if let claims = state.withLockedValue({ $0.checked.find(text) }) {
            return claims.isInDate(at: moment) ? claims : nil
        }
        do {
            return try check(text, at: moment)
        } catch JSONWebToken.Failure.unknownKey {
            guard mayRead(at: moment) else { return nil }
            try await readKeys()
            return try? check(text, at: moment)
        } catch {
            return nil
        }
    }

    private func check(_ text: String, at moment: Timestamp) throws(JSONWebToken.Failure) -> AccessClaims {
        let ring = state.withLockedValue(\.ring)
        let claims = try ring.verify(text, at: moment)
        state.withLockedValue { $0.checked.insert(claims, for: text) }
        return claims
    }

    private func mayRead(at moment: Timestamp) -> Bool {
        state.withLockedValue { state in
            if let last = state.lastRead, moment < last.adding(seconds: Self.readPauseSeconds) { return false }
            state.lastRead = moment
            return true
        }
    }

    private func readKeys() async throws {
        let moment = now()
        var ring = SigningKeyRing()
        for stored in try await keys.inUse(at: moment) {
            ring.insert(
                try SigningKey(
                    rawPrivateKey: stored.privateKey, createdAt: stored.createdAt, signsFrom: stored.signsFrom,
                    checksUntil: stored.checksUntil))
        }
        let read = ring
        state.withLockedValue { state in
            state.ring = read
            state.lastRead = moment
        }
    }
}
