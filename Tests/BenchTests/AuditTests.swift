import Testing

@testable import flux_bench

/// The audit sees each broken promise, and nothing in what is whole.
@Suite struct AuditTests {
    /// One channel with three messages behind number 10, as everybody knows them; a test then breaks something.
    private struct World {
        var record = ChannelRecord(channel: 0, base: 10)
        var sends: [SendEvidence] = []
        var catalogue = EventCatalogue(channels: 1)
        var held = HeldRuns()
        var head = Place(epoch: 1, seq: 13)
        var lack: String?
        var taken: Set<Int> = []

        init() {
            record.lastSeq = 13
            for seq in 11...13 {
                let place = Place(epoch: 1, seq: seq)
                let identity = EventIdentity(kind: .created, message: UInt64(100 + seq))
                record.entries[seq] = ChannelRecord.Entry(epoch: 1, identity: identity)
                record.messages.append(
                    ChannelRecord.Stored(id: UInt64(100 + seq), place: place, author: 7, nonce: "n\(seq)"))
                sends.append(
                    SendEvidence(
                        channel: 0, author: 7, nonce: "n\(seq)", state: .acknowledged(id: UInt64(100 + seq), seq: seq)))
                _ = catalogue.note(identity, at: place, in: 0)
                held.append(place)
            }
        }

        var audit: Audit {
            let view = ViewEvidence(
                channel: 0, base: 10, head: head, held: held, taken: taken, retractions: 0, rolledBack: 0)
            let session = SessionEvidence(name: "a", lack: lack, views: [view], silences: [])
            let evidence = LoopEvidence(
                sessions: [session], sends: sends, catalogue: catalogue, violations: ViolationLog(),
                acknowledgedAt: [[]])
            return Audit.run(channels: ChannelTable([500]), records: [record], evidence: [evidence])
        }

        var violations: [Violation.Kind: Int] { audit.violations.counts }

        mutating func forget(_ seq: Int) {
            record.entries[seq] = nil
            record.messages.removeAll { $0.place.seq == seq }
        }
    }

    @Test func aCleanWorld() { #expect(World().violations == [:]) }

    @Test func anAcknowledgedMessageThatIsGone() {
        var world = World()
        world.forget(12)
        let violations = world.violations
        #expect(violations[.lostAcknowledged] == 1)
        #expect(violations[.falseEvent] == 1, "the client still holds it")
    }

    @Test func aTailThatIsGone() {
        var world = World()
        world.forget(13)
        world.record.lastSeq = 12
        #expect(world.violations == [.lostAcknowledged: 1, .falseEvent: 1])
    }

    @Test func aMessageThatIsStoredTwice() {
        var world = World()
        world.record.lastSeq = 14
        world.record.entries[14] = .init(epoch: 1, identity: .init(kind: .created, message: 114))
        world.record.messages.append(.init(id: 114, place: Place(epoch: 1, seq: 14), author: 7, nonce: "n13"))
        #expect(world.violations == [.storedTwice: 1, .lost: 1])
    }

    @Test func anAnswerThatNamesAnotherMessage() {
        var world = World()
        world.sends[0] = SendEvidence(channel: 0, author: 7, nonce: "n11", state: .acknowledged(id: 999, seq: 11))
        world.sends[1] = SendEvidence(channel: 0, author: 7, nonce: "n12", state: .acknowledged(id: 112, seq: 11))
        #expect(world.violations == [.differsFromAnswer: 2])
    }

    @Test func sendsThatWereNotAcknowledged() {
        var world = World()
        world.sends.append(SendEvidence(channel: 0, author: 7, nonce: "m", state: .open))
        world.sends.append(SendEvidence(channel: 0, author: 7, nonce: "o", state: .unknown))
        #expect(world.violations == [.neverAcknowledged: 1])
    }

    @Test func aRefusedMessageThatIsStored() {
        var world = World()
        world.sends[2] = SendEvidence(channel: 0, author: 7, nonce: "n13", state: .refused)
        #expect(world.violations == [.storedThoughRefused: 1])
    }

    @Test func aClientThatMissesOne() {
        var world = World()
        world.held = HeldRuns()
        for seq in [11, 13] { world.held.append(Place(epoch: 1, seq: seq)) }
        #expect(world.violations == [.lost: 1])
    }

    @Test func aClientThatDidNotHearTheEnd() {
        var world = World()
        world.held.removeLast()
        world.head = Place(epoch: 1, seq: 12)
        #expect(world.violations == [.lost: 1])
    }

    @Test func aClientThatIsLeftWithAnotherEpochs() {
        var world = World()
        world.held = HeldRuns()
        for place in [Place(epoch: 1, seq: 11), Place(epoch: 1, seq: 12), Place(epoch: 2, seq: 13)] {
            world.held.append(place)
        }
        #expect(world.violations == [.falseEvent: 1])
    }

    @Test func whatWasToldAtAPlaceIsAnotherThing() {
        var world = World()
        world.record.entries[12] = .init(epoch: 1, identity: .init(kind: .created, message: 999))
        world.record.messages[1] = .init(id: 999, place: Place(epoch: 1, seq: 12), author: 7, nonce: "n12")
        let violations = world.violations
        #expect(violations[.falseEvent] == 1)
        #expect(violations[.differsFromAnswer] == 1)
        #expect(violations[.unorderedLog] == 1, "ids do not grow")
    }

    @Test func whatOneLoopWasToldContradictsAnother() {
        let world = World()
        var other = EventCatalogue(channels: 1)
        _ = other.note(EventIdentity(kind: .created, message: 5), at: Place(epoch: 1, seq: 12), in: 0)
        let evidence = [world.catalogue, other].map {
            LoopEvidence(sessions: [], sends: [], catalogue: $0, violations: ViolationLog(), acknowledgedAt: [[]])
        }
        let audit = Audit.run(channels: ChannelTable([500]), records: [world.record], evidence: evidence)
        #expect(audit.violations.counts == [.conflict: 1])
    }

    @Test func aHoleThatNothingExplains() {
        var world = World()
        world.record.lastSeq = 15
        world.record.entries[15] = .init(epoch: 1, identity: .init(kind: .updated, message: 113))
        world.held.append(Place(epoch: 1, seq: 15))
        world.head = Place(epoch: 1, seq: 15)
        #expect(world.violations == [.hole: 1])
        #expect(world.audit.voids == 1)
        // A send that was refused leaves one, in its own channel.
        world.sends.append(SendEvidence(channel: 1, author: 7, nonce: "y", state: .refused))
        #expect(world.violations == [.hole: 1])
        world.sends.append(SendEvidence(channel: 0, author: 7, nonce: "x", state: .refused))
        #expect(world.violations == [:])
    }

    @Test func moreHolesThanRefusedSends() {
        var world = World()
        world.record.lastSeq = 16
        world.record.entries[16] = .init(epoch: 1, identity: .init(kind: .updated, message: 113))
        world.held.append(Place(epoch: 1, seq: 16))
        world.head = Place(epoch: 1, seq: 16)
        #expect(world.violations == [.hole: 2])
        world.sends.append(SendEvidence(channel: 0, author: 7, nonce: "x", state: .refused))
        #expect(world.violations == [.hole: 1])
        world.sends.append(SendEvidence(channel: 0, author: 7, nonce: "y", state: .refused))
        #expect(world.violations == [:])
        #expect(world.audit.voids == 2)
    }

    /// Shown, refused by Postgres, taken back by a later number: the contract's way, and no violation.
    @Test func whatWasTakenBackByALaterNumber() {
        var world = World()
        let void = Place(epoch: 1, seq: 14)
        let deletion = Place(epoch: 1, seq: 15)
        _ = world.catalogue.note(EventIdentity(kind: .created, message: 114), at: void, in: 0)
        _ = world.catalogue.note(EventIdentity(kind: .deleted, message: 114), at: deletion, in: 0)
        world.record.lastSeq = 15
        world.record.entries[15] = .init(epoch: 1, identity: .init(kind: .deleted, message: 114))
        world.held.append(void)
        world.held.append(deletion)
        world.head = deletion
        #expect(world.violations == [:])
        // Without the deletion the client is left with it.
        world.record.entries[15] = .init(epoch: 1, identity: .init(kind: .deleted, message: 1))
        #expect(world.violations[.falseEvent] != nil)
    }

    @Test func aHistoryThatDiffersFromTheLog() {
        var world = World()
        world.record.messages.remove(at: 1)
        world.sends.remove(at: 1)
        #expect(world.violations == [.historyDiffers: 1])
    }

    @Test func aLogWhoseEpochsGoBack() {
        var world = World()
        world.record.entries[11] = .init(epoch: 2, identity: .init(kind: .created, message: 111))
        #expect(world.violations[.unorderedLog] != nil)
    }

    @Test func aSessionThatNeverCameBack() {
        var world = World()
        world.lack = "was not connected"
        #expect(world.violations == [.sessionLost: 1])
    }
}
