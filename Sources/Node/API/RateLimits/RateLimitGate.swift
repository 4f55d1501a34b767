import FluxCore
import FluxSecurity
import Foundation
import HTTPTypes

/// Applies the limits of protocol 3.6 to calls and writes their headers.
public struct RateLimitGate: Sendable {
    private let configuration: RateLimitConfiguration
    private let limiter: any RateLimiter

    /// Makes a gate that counts with a limiter.
    public init(configuration: RateLimitConfiguration, limiter: any RateLimiter) {
        self.configuration = configuration
        self.limiter = limiter
    }

    /// What an admitted call must put on its answer.
    struct Admission: Sendable {
        let bucket: RateLimitBucket?
        let decision: RateLimitDecision?

        /// A call that nothing limits.
        static let unlimited = Admission(bucket: nil, decision: nil)

        /// Puts the headers of the bucket on an answer, whether it succeeded or not.
        func mark(_ headers: inout HTTPFields, at seconds: Double) {
            guard let bucket, let decision else { return }
            headers[.rateLimitLimit] = String(decision.limit)
            headers[.rateLimitRemaining] = String(decision.remaining)
            headers[.rateLimitReset] = RateLimitGate.decimal(seconds + decision.resetAfter)
            headers[.rateLimitResetAfter] = RateLimitGate.decimal(decision.resetAfter)
            headers[.rateLimitBucket] = bucket.rawValue
        }
    }

    /// The outcome of asking.
    enum Verdict: Sendable {
        case admitted(Admission)
        case refused(Answer)
    }

    /// Counts a call at the caller's limit over all routes and at its bucket. The seconds are Unix time.
    func admit(
        bucket: RateLimitBucket?, credential: Credential?, address: ClientAddress, major: UInt64, at seconds: Double
    ) async -> Verdict {
        guard configuration.isOn else { return .admitted(.unlimited) }
        if let credential {
            let key = RateLimitKey(bucket: nil, subject: .user(credential.userID))
            let decision = await limiter.take(key, rule: configuration.global)
            if !decision.isAllowed { return .refused(Self.refusal(decision, bucket: nil, at: seconds)) }
        }
        guard let bucket, let rule = configuration.rules[bucket] else { return .admitted(.unlimited) }
        let subject: RateLimitKey.Subject
        if bucket.countsByAddress {
            if address.isLoopback { return .admitted(.unlimited) }
            subject = .address(address.limitingPrefix)
        } else {
            subject = credential.map { .user($0.userID) } ?? .address(address.limitingPrefix)
        }
        let decision = await limiter.take(RateLimitKey(bucket: bucket, subject: subject, major: major), rule: rule)
        if !decision.isAllowed { return .refused(Self.refusal(decision, bucket: bucket, at: seconds)) }
        return .admitted(Admission(bucket: bucket, decision: decision))
    }

    /// A 429 with everything that the libraries look at: hikari repeats at once without Bucket and Reset-After.
    private static func refusal(_ decision: RateLimitDecision, bucket: RateLimitBucket?, at seconds: Double) -> Answer {
        var answer = Answer.refusal(.rateLimited(retryAfter: decision.resetAfter, isGlobal: bucket == nil))
        Admission(bucket: bucket, decision: decision).mark(&answer.headers, at: seconds)
        answer.headers[.rateLimitScope] = bucket == nil ? "global" : "user"
        if bucket == nil { answer.headers[.rateLimitGlobal] = "true" }
        return answer
    }

    /// Seconds with three decimals, never rounded down: a client that comes back exactly then must be welcome.
    static func decimal(_ seconds: Double) -> String {
        let milliseconds = Int64((min(max(seconds, 0), 1e15) * 1_000).rounded(.up))
        let fraction = String(milliseconds % 1_000)
        return "\(milliseconds / 1_000).\(String(repeating: "0", count: 3 - fraction.count))\(fraction)"
    }
}
