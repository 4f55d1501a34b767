import FluxCore
import FluxRealtime
import FluxSecurity
import FluxStore
import Logging

/// Everything of a node that knows accounts and credentials, put together once.
///
/// Call ``refresh()`` before the first request, run ``maintain()`` as long as the node lives, add the routes, and give
/// ``authenticator`` to the route table and the gateway.
public struct AccountSystem: Sendable {
    /// How often the signing keys are read again.
    private static let keyRefreshSeconds: Int64 = 60

    /// Tells who sends a request.
    public let authenticator: AccountAuthenticator
    public let origin: PublicOrigin

    let accounts: AccountService
    let logins: LoginService
    let bots: BotCredentials
    let revoker: any SessionRevoker
    let logger: Logger
    let now: @Sendable () -> Timestamp

    private let tokens: AccessTokens
    private let ended: EndedLogins

    /// - Parameters:
    ///   - publicURL: where people's pages come from; decides about `Secure` cookies and foreign origins.
    ///   - mintID: gives new ids, for accounts and logins.
    public init(
        database: Database, hasher: PasswordHasher, publicURL: String, revoker: any SessionRevoker, logger: Logger,
        mintID: @escaping @Sendable () throws -> Snowflake, now: @escaping @Sendable () -> Timestamp = Timestamp.now
    ) {
        origin = PublicOrigin(url: publicURL)
        tokens = AccessTokens(keys: SigningKeys(database), now: now)
        ended = EndedLogins(logins: Logins(database), now: now)
        bots = BotCredentials(applications: Applications(database), now: now)
        authenticator = AccountAuthenticator(tokens: tokens, ended: ended, bots: bots, origin: origin)
        logins = LoginService(
            database: database, hasher: hasher, tokens: tokens, ended: ended, revoker: revoker, mintID: mintID, now: now
        )
        accounts = AccountService(database: database, hasher: hasher, logins: logins, mintID: mintID, now: now)
        self.revoker = revoker
        self.logger = logger
        self.now = now
    }

    /// Reads signing keys and ended logins; makes the cluster's first key where there is none.
    public func refresh() async throws {
        try await tokens.refresh()
        try await ended.refresh()
    }

    /// Keeps both fresh until its task is cancelled. A store that is away is tried again with the next turn.
    public func maintain() async {
        var sinceKeys: Int64 = 0
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(EndedLogins.refreshSeconds))
            sinceKeys += EndedLogins.refreshSeconds
            do {
                try await ended.refresh()
                if sinceKeys >= Self.keyRefreshSeconds {
                    sinceKeys = 0
                    try await tokens.refresh()
                }
            } catch {
                logger.warning("ended logins or signing keys could not be read", metadata: ["error": "\(error)"])
            }
        }
    }

    /// An access token of a login that is in the store already: for the admin port alone, which makes many at once.
    @Sendable public func accessToken(userID: UserID, loginID: LoginID) throws -> String {
        try tokens.issue(userID: userID, loginID: loginID)
    }
}
