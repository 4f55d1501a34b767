import HTTPTypes

/// Header fields that the API reads or writes and HTTPTypes has no name for.
///
/// The spellings are constants and valid tokens, so the fallback can never be taken; it is there to avoid a force unwrap.
extension HTTPField.Name {
    private static func known(_ name: String) -> HTTPField.Name { HTTPField.Name(name) ?? .server }

    static let forwardedFor = known("X-Forwarded-For")
    static let auditLogReason = known("X-Audit-Log-Reason")
    static let contentTypeOptions = known("X-Content-Type-Options")
    static let rateLimitLimit = known("X-RateLimit-Limit")
    static let rateLimitRemaining = known("X-RateLimit-Remaining")
    static let rateLimitReset = known("X-RateLimit-Reset")
    static let rateLimitResetAfter = known("X-RateLimit-Reset-After")
    static let rateLimitBucket = known("X-RateLimit-Bucket")
    static let rateLimitScope = known("X-RateLimit-Scope")
    static let rateLimitGlobal = known("X-RateLimit-Global")
    static let retryAfter = known("Retry-After")
    static let via = known("Via")
}
