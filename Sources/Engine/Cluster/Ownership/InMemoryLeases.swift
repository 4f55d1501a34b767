import FluxCore
import NIOConcurrencyHelpers

/// Leases in the memory of one process, for tests of what stands on them. Whoever asks last gets a slot.
public final class InMemoryLeases: LeaseAuthority {
    private struct Lease {
        var holder: NodeIdentity?
        var epoch: Epoch
    }

    private let leases = NIOLockedValueBox<[Slot: Lease]>([:])

    /// No slot is held; the first epoch is 1.
    public init() {}

    /// Takes every slot asked for, from whoever holds it.
    public func acquire(_ slots: [Slot], for node: NodeIdentity) async throws -> [Slot: Epoch] {
        leases.withLockedValue { leases in
            var epochs: [Slot: Epoch] = [:]
            for slot in slots {
                let epoch = (leases[slot]?.epoch ?? 0) + 1
                leases[slot] = Lease(holder: node, epoch: epoch)
                epochs[slot] = epoch
            }
            return epochs
        }
    }

    /// Gives back those that the node still holds.
    public func release(_ slots: [Slot: Epoch], of node: NodeIdentity) async throws {
        leases.withLockedValue { leases in
            for (slot, epoch) in slots where leases[slot]?.holder == node && leases[slot]?.epoch == epoch {
                leases[slot]?.holder = nil
            }
        }
    }
}
