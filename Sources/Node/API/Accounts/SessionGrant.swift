import FluxCore
import FluxSecurity

/// What a successful registration, login or refresh gives: who one is, and the pair of tokens.
public struct SessionGrant: Sendable {
    public let user: User
    public let loginID: LoginID
    /// For requests, for ``AccessClaims/lifetimeSeconds``.
    public let accessToken: String
    /// For one refresh.
    public let refreshToken: String

    /// Writes the object `session` of protocol 5.1; tokens only for those who asked for them, because a page's scripts must
    /// never see them.
    func write(to writer: inout JSONWriter, withTokens: Bool) {
        writer.beginObject()
        writer.key("user")
        user.writeOwn(to: &writer)
        writer.field("expires_in", AccessClaims.lifetimeSeconds)
        if withTokens {
            writer.field("token", accessToken)
            writer.field("refresh_token", refreshToken)
        }
        writer.endObject()
    }
}
