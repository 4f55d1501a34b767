import FluxCore
import FluxFuzzing
import Testing

@testable import FluxCluster

/// What nodes say about members and slots survives the wire, and what a hostile or newer peer sends does no harm.
@Suite struct ClusterMessageFuzzTests {
    private func node(_ random: inout SplitMix64) -> NodeID {
        NodeID(rawValue: .random(in: 0..<1024, using: &random))!
    }

    private func slot(_ random: inout SplitMix64) -> Slot { Slot(rawValue: .random(in: 0..<1024, using: &random))! }

    private func membershipMessage(_ random: inout SplitMix64) -> MembershipMessage {
        let sequence = UInt64.random(in: 0 ... .max, using: &random)
        let kinds: [MembershipMessage.Kind] = [
            .ping(sequence: sequence), .acknowledgement(sequence: sequence),
            .pingRequest(sequence: sequence, target: node(&random)), .noAnswer(sequence: sequence), .gossip,
            .exchange, .exchangeAnswer,
        ]
        let rumours: [Rumour] = (0..<Int.random(in: 0...5, using: &random)).map { _ in
            if Bool.random(using: &random) {
                let healths: [Health] = [.alive, .suspect, .dead, .left]
                return .health(
                    HealthRumour(
                        node: node(&random), incarnation: .random(in: 1...9, using: &random),
                        refutation: .random(in: 0...9, using: &random),
                        health: healths.randomElement(using: &random)!, accuser: node(&random)))
            }
            return .report(
                NodeReport(
                    node: node(&random), incarnation: .random(in: 1...9, using: &random),
                    number: .random(in: 0...99, using: &random), isReady: Bool.random(using: &random),
                    isDraining: Bool.random(using: &random), hasDatabase: Bool.random(using: &random),
                    links: (0..<Int.random(in: 0...4, using: &random)).map { _ in node(&random) }))
        }
        return MembershipMessage(
            incarnation: .random(in: 1...99, using: &random), refutation: .random(in: 0...99, using: &random),
            kind: kinds.randomElement(using: &random)!, rumours: rumours)
    }

    private func slotMessage(_ random: inout SplitMix64) -> SlotMessage {
        let (slot, epoch) = (slot(&random), Epoch.random(in: 0 ... .max, using: &random))
        let routes = (0..<Int.random(in: 0...6, using: &random)).map { _ in
            Route(slot: self.slot(&random), node: node(&random), epoch: .random(in: 1...99, using: &random))
        }
        return [
            .offer(slot, epoch), .accept(slot, epoch), .decline(slot, epoch), .callOff(slot, epoch),
            .granted(slot, epoch), .consent(routes), .routes(routes),
        ].randomElement(using: &random)!
    }

    private func damaged(_ bytes: [UInt8], _ random: inout SplitMix64) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...3, using: &random) where !bytes.isEmpty {
            switch Int.random(in: 0...2, using: &random) {
            case 0: bytes.removeLast(Int.random(in: 1...bytes.count, using: &random))
            case 1: bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(in: 0...255, using: &random)
            default:
                bytes.insert(.random(in: 0...255, using: &random), at: Int.random(in: 0...bytes.count, using: &random))
            }
        }
        return bytes
    }

    @Test func messagesSurviveAndDamageIsAnError() throws {
        var random = SplitMix64(seed: 3)
        var refused = 0
        for _ in 0..<FuzzBudget.inputs / 4 {
            let membership = membershipMessage(&random)
            let slots = slotMessage(&random)
            try #require(try MembershipMessage(decoding: membership.encoded()) == membership)
            try #require(try SlotMessage(decoding: slots.encoded()) == slots)
            do { _ = try MembershipMessage(decoding: damaged(membership.encoded(), &random)) } catch { refused += 1 }
            do { _ = try SlotMessage(decoding: damaged(slots.encoded(), &random)) } catch { refused += 1 }
        }
        #expect(refused > FuzzBudget.inputs / 10)
    }

    @Test func machinesStandWhateverTheyAreTold() {
        var random = SplitMix64(seed: 4)
        let identity = NodeIdentity(name: "a", id: NodeID(rawValue: 1)!, incarnation: 5)
        var machine = Membership(identity: identity, seed: 1, at: .zero)
        _ = machine.learned(
            (2...20).map {
                ClusterMember(
                    identity: NodeIdentity(name: "n\($0)", id: NodeID(rawValue: $0)!, incarnation: 1), address: "")
            }, at: .zero)
        var now = Duration.zero
        for _ in 0..<FuzzBudget.inputs / 50 {
            now += .milliseconds(Int64.random(in: 0...40, using: &random))
            let sender = NodeID(rawValue: .random(in: 1...24, using: &random))!
            _ = machine.received(membershipMessage(&random), from: sender, at: now)
            if machine.nextWakeUp <= now { _ = machine.advance(to: now) }
            #expect(machine.health(of: identity.id) == .alive)
            #expect(machine.rumours.count <= 2048 && machine.relays.count <= 256)
        }
    }

    @Test func newsOfANewerKindIsPassedOverAndTheRestIsRead() throws {
        let known = HealthRumour(
            node: NodeID(rawValue: 3)!, incarnation: 1, refutation: 2, health: .suspect, accuser: NodeID(rawValue: 4)!)
        var writer = WireWriter()
        writer.record { fields in
            fields.signed(Int64(1))
            fields.unsigned(UInt32(0))
            fields.byte(5)
            fields.unsigned(UInt(4))
            // A kind of news that does not exist yet.
            fields.record {
                $0.byte(99)
                $0.string("later")
            }
            // A state of health that does not exist yet, and a field more.
            fields.record {
                $0.byte(1)
                $0.record { inner in
                    inner.value(known.node)
                    inner.signed(known.incarnation)
                    inner.unsigned(known.refutation)
                    inner.byte(42)
                    inner.value(known.accuser)
                    inner.string("later")
                }
            }
            fields.value(RumourOnWire(.health(known)))
            fields.value(RumourOnWire(.health(known)))
            fields.string("a field of the message that does not exist yet")
        }
        let message = try MembershipMessage(decoding: writer.bytes)
        #expect(message.rumours == [.health(known), .health(known)])
        #expect(message.kind == .gossip)
    }

    @Test func aMessageOfANewerKindIsAnErrorOfItsOwn() {
        var writer = WireWriter()
        writer.record { $0.byte(77) }
        #expect(throws: WireError.unknownCase(77)) { try SlotMessage(decoding: writer.bytes) }
    }
}
