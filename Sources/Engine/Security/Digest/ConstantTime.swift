import COpenSSL

/// Comparison of secrets whose duration tells an attacker nothing of their content.
public enum ConstantTime {
    /// Whether both hold the same bytes. The time depends on the lengths alone; unequal lengths are unequal at once.
    public static func equal(_ left: some Collection<UInt8>, _ right: some Collection<UInt8>) -> Bool {
        withContiguousBytes(of: left) { left in
            withContiguousBytes(of: right) { right in
                guard left.count == right.count else { return false }
                guard let first = left.baseAddress, let second = right.baseAddress else { return true }
                return CRYPTO_memcmp(first, second, left.count) == 0
            }
        }
    }
}
