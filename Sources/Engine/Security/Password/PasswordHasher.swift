/// Hashes and verifies passwords with Argon2id on a small pool of threads of its own, so that neither event loops nor the
/// cooperative pool ever wait for it.
///
/// The queue is bounded: at the bound a call fails at once with ``Failure/overloaded(retryAfterSeconds:)`` and no work
/// is done. A waiting call whose task is cancelled leaves the queue; one under way runs to its end. Passwords are taken
/// as their UTF-8 bytes, unchanged. Verification takes equally long for a wrong password and, through
/// ``verifyDummy(_:)``, for a user who does not exist.
public final class PasswordHasher: Sendable {
    /// What one hash costs. The defaults are the first choice of the OWASP password storage guide for Argon2id.
    public struct Parameters: Sendable, Equatable {
        /// Memory in KiB, 19 MiB by default.
        public var memoryKibibytes: UInt32
        /// Passes over the memory, 2 by default.
        public var passes: UInt32
        /// Lanes, computed one after the other by one thread, 1 by default.
        public var lanes: UInt32

        public init(memoryKibibytes: UInt32 = 19 * 1024, passes: UInt32 = 2, lanes: UInt32 = 1) {
            self.memoryKibibytes = memoryKibibytes
            self.passes = passes
            self.lanes = lanes
        }
    }

    /// Why a password could not be hashed or verified.
    public enum Failure: Error, Sendable, Equatable {
        /// The queue is full; trying again makes sense after that many seconds.
        case overloaded(retryAfterSeconds: Int)
        /// The caller's task was cancelled while it waited.
        case cancelled
        /// The hasher was shut down.
        case stopped
        /// The stored hash is not one this hasher can read.
        case malformedHash
        /// The library could not allocate its memory.
        case outOfMemory
    }

    private static let saltByteCount = 16
    private static let hashByteCount = 32

    private let parameters: Parameters
    private let pool: WorkerPool

    /// Salt and hash of no password, with the cost of a real one.
    private let dummy: PasswordHash

    /// Starts `threads` threads (by default half the cores, at least 1), in front of them at most `queueLimit` waiting calls.
    public init(
        parameters: Parameters = Parameters(),
        threads: Int? = nil,
        queueLimit: Int = 64
    ) {
        self.parameters = parameters
        self.pool = WorkerPool(
            name: "password", threads: max(1, threads ?? WorkerPool.coreCount / 2), queueLimit: max(1, queueLimit))
        self.dummy = PasswordHash(
            parameters: parameters, salt: SecureRandom.bytes(Self.saltByteCount),
            hash: SecureRandom.bytes(Self.hashByteCount))
    }

    deinit {
        pool.stop()
    }

    /// The PHC string of `password` with a new random salt.
    public func hash(_ password: String) async throws(Failure) -> String {
        let parameters = self.parameters
        let salt = SecureRandom.bytes(Self.saltByteCount)
        let hash = try await compute(password, salt: salt, parameters: parameters, byteCount: Self.hashByteCount)
        return PasswordHash(parameters: parameters, salt: salt, hash: hash).text
    }

    /// Whether `password` is the one that `stored`, a PHC string, was made of.
    public func verify(_ password: String, against stored: String) async throws(Failure) -> Bool {
        guard let expected = PasswordHash(parsing: stored) else { throw .malformedHash }
        return try await verify(password, against: expected)
    }

    /// Costs what ``verify(_:against:)`` costs and answers nothing: for a login whose user does not exist.
    public func verifyDummy(_ password: String) async throws(Failure) {
        _ = try await verify(password, against: dummy)
    }

    /// Whether `stored` was made with other parameters than new hashes are, so that the next login should replace it.
    public func needsRehash(_ stored: String) -> Bool {
        PasswordHash(parsing: stored)?.parameters != parameters
    }

    /// Fails everything that waits, lets what is under way end, and ends the threads. Later calls fail.
    public func shutdown() {
        pool.stop()
    }

    private func verify(_ password: String, against expected: PasswordHash) async throws(Failure) -> Bool {
        let actual = try await compute(
            password, salt: expected.salt, parameters: expected.parameters, byteCount: expected.hash.count)
        return ConstantTime.equal(actual, expected.hash)
    }

    private func compute(
        _ password: String, salt: [UInt8], parameters: Parameters, byteCount: Int
    ) async throws(Failure) -> [UInt8] {
        let bytes = Array(password.utf8)
        let outcome = await pool.run {
            Argon2id.hash(bytes, salt: salt, parameters: parameters, byteCount: byteCount)
        }
        switch outcome {
        case .finished(let hash):
            guard let hash else { throw .outOfMemory }
            return hash
        case .overloaded: throw .overloaded(retryAfterSeconds: 1)
        case .cancelled: throw .cancelled
        case .stopped: throw .stopped
        }
    }
}
