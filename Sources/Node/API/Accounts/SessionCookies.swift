import FluxSecurity
import HTTPTypes

/// The two cookies of a browser's login, with the attributes of protocol 10.1.
///
/// Neither can be read by a script. The access token goes with every request and, by SameSite=Lax, with no cross-site
/// write; the refresh token goes to the account routes alone and never with a request that another site caused.
public struct SessionCookies: Sendable {
    static let accessName = "flux_access"
    static let refreshName = "flux_refresh"

    /// Adds `Secure`: for an origin with TLS.
    let isSecure: Bool

    /// The fields that set both.
    func setting(accessToken: String, refreshToken: String) -> [HTTPField] {
        [
            access(accessToken, lifetimeSeconds: AccessClaims.lifetimeSeconds),
            refresh(refreshToken, lifetimeSeconds: RefreshToken.lifetimeSeconds),
        ]
    }

    /// The fields that make a browser forget both.
    func clearing() -> [HTTPField] {
        [access("", lifetimeSeconds: 0), refresh("", lifetimeSeconds: 0)]
    }

    /// The access token that a request carries; nil without the cookie, or with an empty one.
    static func accessToken(in fields: HTTPFields) -> String? { value(of: accessName, in: fields) }

    /// The refresh token that a request carries.
    static func refreshToken(in fields: HTTPFields) -> String? { value(of: refreshName, in: fields) }

    private func access(_ value: String, lifetimeSeconds: Int64) -> HTTPField {
        field("\(Self.accessName)=\(value); Path=/; Max-Age=\(lifetimeSeconds); HttpOnly; SameSite=Lax")
    }

    private func refresh(_ value: String, lifetimeSeconds: Int64) -> HTTPField {
        field("\(Self.refreshName)=\(value); Path=/api/v10/auth; Max-Age=\(lifetimeSeconds); HttpOnly; SameSite=Strict")
    }

    private func field(_ text: String) -> HTTPField {
        HTTPField(name: .setCookie, value: isSecure ? text + "; Secure" : text)
    }

    /// The first cookie of that name (RFC 6265, 5.4), of all `Cookie` fields.
    private static func value(of name: String, in fields: HTTPFields) -> String? {
        for field in fields[values: .cookie] {
            for pair in field.split(separator: ";") {
                let pair = pair.drop { $0 == " " || $0 == "\t" }
                guard pair.hasPrefix(name), pair.dropFirst(name.count).first == "=" else { continue }
                let value = pair.dropFirst(name.count + 1)
                return value.isEmpty ? nil : String(value)
            }
        }
        return nil
    }
}
