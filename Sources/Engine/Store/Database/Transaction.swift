/// An open transaction on one connection, for the duration of a `Database.transaction` body.
public struct Transaction: ~Copyable {
    let connection: Connection
    let deadline: ContinuousClock.Instant

    /// Runs one statement and waits for its answer, on the connection's own thread. After an error the transaction can
    /// only be rolled back: throw on.
    @discardableResult
    public func run(_ statement: Statement) throws(StoreError) -> Rows {
        try run([statement])[0]
    }

    /// Runs several statements in one pipeline.
    @discardableResult
    public func run(_ statements: [Statement]) throws(StoreError) -> [Rows] {
        let result = try connection.run(statements, until: deadline)
        if let failure = result.failure { throw failure.error }
        guard result.rows.count == statements.count else { throw .corrupt("an answer is missing") }
        return result.rows
    }
}

extension Connection {
    /// Runs `body` between BEGIN and COMMIT, or ROLLBACK when it throws.
    func transaction<Result>(
        until deadline: ContinuousClock.Instant, _ body: (borrowing Transaction) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        let transaction = Transaction(connection: self, deadline: deadline)
        try transaction.run(.begin)
        let result: Result
        do {
            result = try body(transaction)
        } catch {
            if isUsable { try rollBack(until: deadline) }
            throw error
        }
        try transaction.run(.commit)
        return result
    }

    /// Leaves a transaction that has failed.
    func rollBack(until deadline: ContinuousClock.Instant) throws(StoreError) {
        guard isInTransaction else { return }
        _ = try run([.rollback], until: deadline)
    }
}

extension Statement {
    static let begin = Statement(PreparedQuery("begin", "BEGIN"))
    static let commit = Statement(PreparedQuery("commit", "COMMIT"))
    static let rollback = Statement(PreparedQuery("rollback", "ROLLBACK"))
}

extension Transaction {
    /// Runs SQL text of several commands, as migrations are.
    func runScript(_ sql: [UInt8]) throws(StoreError) {
        try connection.runScript(sql)
    }
}
