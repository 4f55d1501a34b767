import FluxCluster
import FluxCore
import FluxStore
import Testing

@testable import FluxRealtime

/// What a caller is told of what became of a change.
@Suite struct LaneOutcomeTests {
    @Test func onlyWhatIsDurableIsASuccess() throws {
        try LaneOutcome.Result.committed.get()
        #expect(throws: APIError.refusedByDatabase) {
            try LaneOutcome.Result.refused(.constraint(name: "unique", sqlState: "23505")).get()
        }
        #expect(throws: APIError.notCommitted) { try LaneOutcome.Result.withdrawn.get() }
        // The next owner has to be asked, and may repeat it.
        #expect(throws: SlotLoss.underWay) { try LaneOutcome.Result.lost.get() }
    }
}
