import FluxCluster
import FluxCore
import FluxStore

extension LaneOutcome.Result {
    /// Returns if the change is durable.
    /// - Throws: `APIError` in the contract's words; `SlotLoss` for what was under way when the slot was lost.
    func get() throws {
        switch self {
        case .committed: return
        case .refused: throw APIError.refusedByDatabase
        case .withdrawn: throw APIError.notCommitted
        case .lost: throw SlotLoss.underWay
        }
    }
}

extension APIError {
    /// The database refused what was sent, such as a text with a NUL inside.
    static let refusedByDatabase = APIError.form(
        [], code: "BASE_TYPE_INVALID", message: "The content cannot be stored.")
}
