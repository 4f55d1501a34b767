import FluxCore
import FluxSecurity
import FluxStore

/// Logins of people: begin, refresh, end (protocol 10.1).
public struct LoginService: Sendable {
    /// What a client that calls itself nothing is called, and how much of what it says is kept.
    private static let clientInfoLimit = 256

    private let users: Users
    private let accounts: Accounts
    private let logins: Logins
    private let hasher: PasswordHasher
    private let tokens: AccessTokens
    private let ended: EndedLogins
    private let revoker: any SessionRevoker
    private let mintID: @Sendable () throws -> Snowflake
    private let now: @Sendable () -> Timestamp

    init(
        database: Database, hasher: PasswordHasher, tokens: AccessTokens, ended: EndedLogins,
        revoker: any SessionRevoker, mintID: @escaping @Sendable () throws -> Snowflake,
        now: @escaping @Sendable () -> Timestamp
    ) {
        users = Users(database)
        accounts = Accounts(database)
        logins = Logins(database)
        self.hasher = hasher
        self.tokens = tokens
        self.ended = ended
        self.revoker = revoker
        self.mintID = mintID
        self.now = now
    }

    /// Logs in by name or address. 401 for an unknown user as for a wrong password, after the same work.
    func logIn(_ form: LoginForm, clientInfo: String?) async throws -> SessionGrant {
        let isPossible = form.password.utf8.count <= LoginForm.passwordByteLimit
        let password = isPossible ? form.password : ""
        let found = try await accounts.credentials(login: form.login)
        let isRight: Bool
        do throws(PasswordHasher.Failure) {
            if let found, isPossible {
                isRight = try await hasher.verify(password, against: found.passwordHash)
            } else {
                try await hasher.verifyDummy(password)
                isRight = false
            }
        } catch {
            throw error.refusal
        }
        guard let found, isRight else { throw APIError.unauthorized }
        if hasher.needsRehash(found.passwordHash), let hash = try? await hasher.hash(password) {
            try await accounts.setPassword(hash: hash, of: found.user.id, at: now())
        }
        return try await begin(for: found.user, clientInfo: clientInfo)
    }

    /// Begins a login of somebody who has proven who they are.
    func begin(for user: User, clientInfo: String?) async throws -> SessionGrant {
        let loginID = try mintID()
        let moment = now()
        let refreshToken = RefreshToken.mint()
        let accessToken = try tokens.issue(userID: user.id, loginID: loginID)
        try await logins.begin(
            loginID, userID: user.id, tokenHash: refreshToken.hash,
            expiresAt: moment.adding(seconds: RefreshToken.lifetimeSeconds), at: moment,
            clientInfo: String((clientInfo ?? "").unicodeScalars.prefix(Self.clientInfoLimit)))
        return SessionGrant(
            user: user, loginID: loginID, accessToken: accessToken, refreshToken: refreshToken.text)
    }

    /// Takes a refresh token for a new pair. 409 for one that was used within the last ten seconds; 401 for any other
    /// that is not good, and where it was used before, its whole login ends.
    func refresh(_ text: String) async throws -> SessionGrant {
        guard let token = RefreshToken(parsing: text) else { throw APIError.unauthorized }
        let moment = now()
        let successor = RefreshToken.mint()
        let outcome = try await logins.rotate(
            token.hash, to: successor.hash, expiresAt: moment.adding(seconds: RefreshToken.lifetimeSeconds), at: moment)
        switch outcome {
        case .rotated(let loginID, let userID):
            guard let user = try await users.find(userID) else { throw APIError.unauthorized }
            return SessionGrant(
                user: user, loginID: loginID, accessToken: try tokens.issue(userID: userID, loginID: loginID),
                refreshToken: successor.text)
        case .usedJustNow:
            throw APIError(status: 409, code: 0, message: "This refresh token has just been used.")
        case .reused(let loginID, let userID):
            await spread(endOf: [loginID], of: userID, at: moment)
            throw APIError.unauthorized
        case .unknown:
            throw APIError.unauthorized
        }
    }

    /// Ends logins of that person: refresh tokens and the access tokens on this node at once, access tokens on other nodes
    /// within five seconds, gateway sessions with 4004. Ids of other people's logins do nothing.
    func end(_ loginIDs: [LoginID], of userID: UserID) async throws {
        let moment = now()
        let ending = try await logins.end(loginIDs, of: userID, at: moment)
        await spread(endOf: ending, of: userID, at: moment)
    }

    /// The person's logins, the newest use first.
    func current(of userID: UserID) async throws -> [Login] {
        try await logins.current(of: userID)
    }

    private func spread(endOf loginIDs: [LoginID], of userID: UserID, at moment: Timestamp) async {
        ended.insert(loginIDs, at: moment)
        for loginID in loginIDs { await revoker.loginEnded(loginID, of: userID) }
    }
}

extension PasswordHasher.Failure {
    /// What a client is told: come again, or that something is wrong with us.
    var refusal: APIError {
        switch self {
        case .overloaded(let seconds):
            APIError(
                status: 503, code: 0, message: "Too many people are logging in at the moment.",
                retryAfter: Double(seconds))
        case .cancelled, .stopped, .outOfMemory: .serviceUnavailable
        case .malformedHash: .internalFailure
        }
    }
}
