import FluxCore

extension PreparedQuery {
    /// A query that is asked for many ids at once: for each of the ids in `$1` the rows of `body`, a SELECT that knows the id as
    /// `wanted.id` and keeps its own order and limit. Behind its columns stands the id, as `wanted_id`.
    /// - Parameter order: the column of `body`, from 1, by which one id's rows are ordered.
    static func forEach(
        _ name: String, order: Int, _ types: [SQLType], _ body: String
    ) -> PreparedQuery {
        PreparedQuery(
            name,
            """
            SELECT found.*, wanted.id AS wanted_id FROM unnest($1) AS wanted (id) CROSS JOIN LATERAL (
            \(body)
            ) found ORDER BY wanted_id, \(order)
            """, [.int8Array] + types)
    }
}

extension Rows {
    /// The rows of a query that was asked for many ids, by the id that each is for, in their order.
    func byWanted() throws(StoreError) -> [Snowflake: [Row]] {
        var rows: [Snowflake: [Row]] = [:]
        for row in self { rows[try row.id("wanted_id"), default: []].append(row) }
        return rows
    }
}
