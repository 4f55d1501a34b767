import CArgon2

/// The Argon2id function, RFC 9106, by libargon2. Blocks the calling thread for tens of milliseconds.
enum Argon2id {
    /// The hash of `password` with `salt`, `byteCount` bytes long; nil if the library refuses (out of memory).
    static func hash(
        _ password: [UInt8], salt: [UInt8], parameters: PasswordHasher.Parameters, byteCount: Int
    ) -> [UInt8]? {
        var hash = [UInt8](repeating: 0, count: byteCount)
        let result = argon2id_hash_raw(
            parameters.passes, parameters.memoryKibibytes, parameters.lanes,
            password, password.count, salt, salt.count, &hash, hash.count)
        return result == ARGON2_OK.rawValue ? hash : nil
    }
}
