import FluxAPI
import FluxCore
import FluxRealtime

/// Ends gateway sessions whose login or token has ended.
struct EngineRevoker: SessionRevoker {
    let realtime: Realtime

    /// A failure is left to the next IDENTIFY or RESUME, which the ended login cannot pass.
    func loginEnded(_ loginID: LoginID, of userID: UserID) async {
        try? await realtime.loginEnded(loginID, of: userID)
    }

    /// As above.
    func credentialsRevoked(of userID: UserID) async {
        try? await realtime.credentialsRevoked(of: userID)
    }
}
