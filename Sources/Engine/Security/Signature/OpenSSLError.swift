import COpenSSL

/// What OpenSSL said last on this thread, in words that may be logged: reasons only, never key material.
enum OpenSSLError {
    /// Empties the thread's error queue and gives its newest reason, or `fallback` where it holds none.
    ///
    /// The queue must be empty before a call whose `SSL_get_error` is read afterwards, so every failure takes it away.
    static func takeReason(otherwise fallback: String) -> String {
        var reason = fallback
        while true {
            let code = ERR_get_error()
            guard code != 0 else { return reason }
            if let text = ERR_reason_error_string(code) { reason = String(cString: text) }
        }
    }
}
