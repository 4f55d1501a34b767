import FluxCore

/// Closes gateway sessions, wherever they live, with 4004 when what they were opened with has ended.
public protocol SessionRevoker: Sendable {
    /// A login has ended: its sessions, and no others of the user.
    func loginEnded(_ loginID: LoginID, of userID: UserID) async
    /// The token of a bot is void: all its sessions.
    func credentialsRevoked(of userID: UserID) async
}
