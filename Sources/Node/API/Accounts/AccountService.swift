import FluxCore
import FluxSecurity
import FluxStore
import Logging

/// Makes accounts of people (protocol 5.1).
public struct AccountService: Sendable {
    private let users: Users
    private let accounts: Accounts
    private let hasher: PasswordHasher
    private let logins: LoginService
    private let mintID: @Sendable () throws -> Snowflake
    private let now: @Sendable () -> Timestamp

    init(
        database: Database, hasher: PasswordHasher, logins: LoginService,
        mintID: @escaping @Sendable () throws -> Snowflake, now: @escaping @Sendable () -> Timestamp
    ) {
        users = Users(database)
        accounts = Accounts(database)
        self.hasher = hasher
        self.logins = logins
        self.mintID = mintID
        self.now = now
    }

    /// Makes an account and logs it in. 400/50035 for a name or an address that somebody has.
    func register(_ form: RegistrationForm, clientInfo: String?) async throws -> SessionGrant {
        // Asked first, so that names that are taken cost no hash. The unique index decides between two at once.
        guard try await users.person(named: form.username) == nil else { throw Self.taken("username") }
        let hash: String
        do throws(PasswordHasher.Failure) { hash = try await hasher.hash(form.password) } catch { throw error.refusal }
        let user = User(
            id: try mintID(), username: form.username, globalName: form.globalName, email: form.email, createdAt: now())
        do {
            try await accounts.register(user, passwordHash: hash)
        } catch StoreError.constraint("users_username_key", _) {
            throw Self.taken("username")
        } catch StoreError.constraint("users_email_key", _) {
            throw Self.taken("email")
        }
        return try await logins.begin(for: user, clientInfo: clientInfo)
    }

    private static func taken(_ field: String) -> APIError {
        field == "username"
            ? .form([field], code: "USERNAME_ALREADY_TAKEN", message: "Username is already taken.")
            : .form([field], code: "EMAIL_ALREADY_REGISTERED", message: "Email is already registered.")
    }
}
