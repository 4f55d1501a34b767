/// Everything that can go wrong between us and Postgres, as its caller has to tell it apart.
public enum StoreError: Error, Sendable, Hashable {
    /// No connection, or it broke under the call. A write may or may not have been committed.
    case unavailable(String)
    /// A queue is at its bound. Nothing was done; try later.
    case overloaded
    /// The call's deadline passed. A write may or may not have been committed.
    case timedOut
    /// A constraint of the schema refused the change (SQLSTATE class 23). Nothing was changed.
    case constraint(name: String, sqlState: String)
    /// Postgres refused the statement for another reason. Nothing was changed.
    case refused(sqlState: String, message: String)
    /// A newer owner or a newer incarnation of this node has taken over; nothing was changed and nothing will be.
    case fenced
    /// An answer that does not have the columns or types that the query promises.
    case corrupt(String)
    /// The statement does not fit its query: a fault of the program.
    case invalid(String)
    /// The server's settings would lose acknowledged writes; `remedy` says what to set.
    case unsafeSettings(setting: String, value: String, remedy: String)
    /// The schema in the database cannot be used by this version; the text says why and what to do.
    case schema(String)
    /// A private Postgres could not be started; the text says why and what to do.
    case cannotStart(String)
    /// The pool or the lane has been closed.
    case closed
}

extension StoreError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unavailable(let reason): "Postgres cannot be reached: \(reason)"
        case .overloaded: "too many calls are waiting for Postgres"
        case .timedOut: "Postgres did not answer in time"
        case .constraint(let name, let state): "constraint \(name) refused the change (\(state))"
        case .refused(let state, let message): "Postgres refused the statement (\(state)): \(message)"
        case .fenced: "this node is no longer the owner"
        case .corrupt(let what): "unexpected answer from Postgres: \(what)"
        case .invalid(let what): "statement does not fit its query: \(what)"
        case .unsafeSettings(let setting, let value, let remedy): "Postgres has \(setting) = \(value): \(remedy)"
        case .schema(let what): "database schema: \(what)"
        case .cannotStart(let what): "private Postgres: \(what)"
        case .closed: "the store is closed"
        }
    }
}

extension StoreError {
    /// Whether the same change, sent again, would be refused again: nothing but the change itself is at fault.
    public var isPermanentRefusal: Bool {
        switch self {
        case .constraint, .invalid: true
        case .refused(let state, _): !StoreError.isPassing(sqlState: state)
        case .unavailable, .overloaded, .timedOut, .fenced, .corrupt, .unsafeSettings, .schema, .cannotStart, .closed:
            false
        }
    }

    /// Whether the server no longer knows a query as it was prepared.
    var asksForPreparation: Bool {
        if case .refused("26000", _) = self { return true }
        if case .refused("0A000", _) = self { return true }
        return false
    }

    /// SQLSTATE classes that speak of the server's condition and not of the statement: 08 connection, 25006 read-only
    /// (a standby), 40 rollback by serialisation or deadlock, 53 resources, 55 lock not available, 57 operator
    /// intervention, 58 system error; 26000 and 0A000 ask for a fresh preparation.
    static func isPassing(sqlState: String) -> Bool {
        ["08", "40", "53", "55", "57", "58", "26"].contains(sqlState.prefix(2))
            || ["25006", "25P02", "0A000"].contains(sqlState)
    }
}
