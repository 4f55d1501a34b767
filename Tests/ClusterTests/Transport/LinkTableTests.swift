import FluxFuzzing
import NIOCore
import Testing

@testable import FluxCluster

@Suite struct LinkTableTests {
    private typealias Action = LinkTable.Action

    private static func identity(_ number: UInt16, incarnation: Int64 = 1) -> NodeIdentity {
        NodeIdentity(name: "node-\(number)", id: NodeID(rawValue: number)!, incarnation: incarnation)
    }

    private func table(of number: UInt16) -> LinkTable {
        LinkTable(own: Self.identity(number), backoff: LinkBackoff(), random: SeededGenerator(seed: 1))
    }

    private func accepted(_ number: UInt64) -> ConnectionID { ConnectionID(rawValue: number | 1 << 63) }

    /// The connection that the action dials.
    private func dialled(_ actions: [Action]) throws -> ConnectionID {
        for action in actions {
            switch action {
            case .dialControl(let id, _, _), .dialBulk(let id, _, _, _, _): return id
            default: continue
            }
        }
        throw CancellationError()
    }

    /// A link that this node dialled.
    private func linked(_ table: inout LinkTable, to peer: NodeIdentity) throws -> (ConnectionID, ConnectionID) {
        let control = try dialled(table.want([peer.id: address]))
        let bulk = try dialled(table.welcomed(control, by: peer, link: 77))
        #expect(
            table.welcomed(bulk, by: peer, link: 77) == [
                .reportUp(peer.id, control: control), .start(control: control, bulk: bulk),
            ])
        return (control, bulk)
    }

    @Test func dialsControlThenBulkAndIsUp() throws {
        var table = table(of: 1)
        let peer = Self.identity(2)
        let control = try dialled(table.want([peer.id: address]))
        let actions = table.welcomed(control, by: peer, link: 77)
        let bulk = try dialled(actions)
        #expect(actions == [.dialBulk(bulk, peer.id, address, link: 77, control: control)])
        #expect(table.welcomed(bulk, by: peer, link: 77).first == .reportUp(peer.id, control: control))
        // Wanting the same again changes nothing.
        #expect(table.want([peer.id: address]).isEmpty)
    }

    @Test func lossIsReportedOnceAfterBothConnectionsHaveEnded() throws {
        var table = table(of: 1)
        let peer = Self.identity(2)
        let (control, bulk) = try linked(&table, to: peer)
        #expect(table.ended(bulk) == [.abandon(control: control), .close(control, .otherLaneEnded)])
        #expect(table.ended(bulk).isEmpty)
        #expect(table.ended(control) == [.reportLoss(peer.id, control: control)])
        #expect(table.ended(control).isEmpty)
        // Dialled again only when everybody knows.
        let actions = table.lossReported(peer.id)
        guard case .wait(peer.id, let ticket, _)? = actions.first else {
            Issue.record("must wait: \(actions)")
            return
        }
        #expect(table.dialDue(peer.id, ticket: ticket + 1).isEmpty)
        #expect(try dialled(table.dialDue(peer.id, ticket: ticket)) != control)
        #expect(table.lossReported(peer.id).isEmpty)
    }

    @Test func ofTwoDialsTheLowerIdsStays() throws {
        let (low, high) = (Self.identity(1), Self.identity(2))
        var lower = table(of: 1)
        var higher = table(of: 2)
        let lowDial = try dialled(lower.want([high.id: address]))
        let highDial = try dialled(higher.want([low.id: address]))
        // Each hears the other's hello while its own is under way.
        #expect(lower.greeted(accepted(1), by: high, lane: .control, link: nil).isEmpty)
        let actions = higher.greeted(accepted(1), by: low, lane: .control, link: nil)
        #expect(actions == [.close(highDial, .duplicate), .welcome(accepted(1), control: accepted(1))])
        #expect(higher.ended(highDial).isEmpty)
        let welcomed = lower.welcomed(lowDial, by: high, link: accepted(1).rawValue)
        #expect(welcomed.first == .close(accepted(1), .duplicate))
        let bulk = try dialled(welcomed)
        #expect(lower.ended(accepted(1)).isEmpty)
        #expect(
            higher.greeted(accepted(2), by: low, lane: .bulk, link: accepted(1).rawValue)
                == [.welcome(accepted(2), control: accepted(1))])
        #expect(
            lower.welcomed(bulk, by: high, link: accepted(1).rawValue).contains(.start(control: lowDial, bulk: bulk)))
        #expect(higher.ready(accepted(2)) == [.reportUp(low.id, control: accepted(1))])
        #expect(higher.ready(accepted(1)).isEmpty)
    }

    @Test func theHigherIdsDialIsTakenWhenTheOwnFails() throws {
        var lower = table(of: 1)
        let high = Self.identity(2)
        let own = try dialled(lower.want([high.id: address]))
        #expect(lower.greeted(accepted(1), by: high, lane: .control, link: nil).isEmpty)
        #expect(lower.ended(own) == [.welcome(accepted(1), control: accepted(1))])
    }

    @Test func aLaterIncarnationReplacesTheLinkAndAnEarlierOneIsRefused() throws {
        var table = table(of: 1)
        let (control, bulk) = try linked(&table, to: Self.identity(2, incarnation: 5))
        #expect(
            table.greeted(accepted(1), by: Self.identity(2, incarnation: 4), lane: .control, link: nil)
                == [.close(accepted(1), .staleIncarnation)])
        #expect(table.ended(accepted(1)).isEmpty)
        #expect(
            table.greeted(accepted(2), by: Self.identity(2, incarnation: 6), lane: .control, link: nil)
                == [.abandon(control: control), .close(control, .replaced), .close(bulk, .replaced)])
        #expect(table.ended(control).isEmpty)
        #expect(table.ended(bulk) == [.reportLoss(NodeID(rawValue: 2)!, control: control)])
        // Only now the new one is welcome.
        #expect(
            table.lossReported(NodeID(rawValue: 2)!) == [.welcome(accepted(2), control: accepted(2))])
    }

    @Test func whoDialsAgainHasGivenUpWhatItDialled() throws {
        var table = table(of: 1)
        let peer = Self.identity(2)
        #expect(
            table.greeted(accepted(1), by: peer, lane: .control, link: nil)
                == [.welcome(accepted(1), control: accepted(1))])
        // The first link never got its second connection.
        #expect(
            table.greeted(accepted(2), by: peer, lane: .control, link: nil)
                == [.abandon(control: accepted(1)), .close(accepted(1), .replaced)])
        #expect(table.ended(accepted(1)) == [.reportLoss(peer.id, control: accepted(1))])
        #expect(table.lossReported(peer.id) == [.welcome(accepted(2), control: accepted(2))])
    }

    @Test func aDialThatCrossedAFinishedOneIsADuplicate() throws {
        var table = table(of: 2)
        let peer = Self.identity(1)
        _ = try linked(&table, to: peer)
        #expect(
            table.greeted(accepted(1), by: peer, lane: .control, link: nil) == [.close(accepted(1), .duplicate)])
    }

    @Test func aBulkConnectionMustNameALinkThatWaitsForIt() {
        var table = table(of: 1)
        let peer = Self.identity(2)
        let refused: [Action] = [.close(accepted(9), .noSuchLink)]
        #expect(table.greeted(accepted(9), by: peer, lane: .bulk, link: accepted(1).rawValue) == refused)
        _ = table.ended(accepted(9))
        _ = table.greeted(accepted(1), by: peer, lane: .control, link: nil)
        #expect(table.greeted(accepted(9), by: peer, lane: .bulk, link: 5) == refused)
        _ = table.ended(accepted(9))
        let other = Self.identity(2, incarnation: 2)
        #expect(table.greeted(accepted(9), by: other, lane: .bulk, link: accepted(1).rawValue) == refused)
        _ = table.ended(accepted(9))
        // Not ready before there are two.
        #expect(table.ready(accepted(1)).isEmpty)
        #expect(
            table.greeted(accepted(2), by: peer, lane: .bulk, link: accepted(1).rawValue)
                == [.welcome(accepted(2), control: accepted(1))])
        #expect(table.greeted(accepted(9), by: peer, lane: .bulk, link: accepted(1).rawValue) == refused)
    }

    @Test func whoIsNoLongerWantedIsLeftAndForgotten() throws {
        var table = table(of: 1)
        let peer = Self.identity(2)
        let (control, bulk) = try linked(&table, to: peer)
        #expect(
            table.want([:]) == [
                .abandon(control: control), .close(control, .stopping), .close(bulk, .stopping),
            ])
        _ = table.ended(control)
        _ = table.ended(bulk)
        #expect(table.lossReported(peer.id).isEmpty)
        #expect(table.peerCount == 0)
        #expect(table.connectionCount == 0)
    }

    @Test func afterTheStopNothingBegins() throws {
        var table = table(of: 1)
        let peer = Self.identity(2)
        let (control, bulk) = try linked(&table, to: peer)
        #expect(table.stop().count == 3)
        #expect(
            table.greeted(accepted(1), by: peer, lane: .control, link: nil) == [.close(accepted(1), .stopping)])
        _ = table.ended(control)
        _ = table.ended(bulk)
        #expect(table.lossReported(peer.id).isEmpty)
        #expect(table.want([peer.id: address]).isEmpty)
    }

    @Test func waitsGrowAndEnd() {
        let backoff = LinkBackoff(first: .milliseconds(50), longest: .seconds(5))
        #expect(backoff.delay(failures: 0, random: 0) == .milliseconds(50))
        #expect(backoff.delay(failures: 0, random: 1) == .milliseconds(25))
        #expect(backoff.delay(failures: 3, random: 0) == .milliseconds(400))
        for failures in [7, 30, 63, 1_000_000, Int.max] {
            #expect(backoff.delay(failures: failures, random: 0) == .seconds(5))
        }
    }

    /// Two tables and the network between them: any order of events, any connection lost at any time.
    private struct Pair {
        struct Connection {
            let dialler: Int
            let lane: TransportLane
            let dialled: ConnectionID
            let accepted: ConnectionID
            let name: UInt64?
        }

        enum Event {
            case greet(Connection)
            case welcome(Connection, UInt64)
            case ready(Connection)
            case ended(Int, ConnectionID)
            case reported(Int)
            case due(Int, UInt64)
        }

        var random: SeededGenerator
        var tables: [LinkTable]
        var events: [Event] = []
        var connections: [Connection] = []
        var open: [Set<ConnectionID>] = [[], []]
        var nextAccepted: UInt64 = 0
        /// The control connection of the link that each side believes to be up.
        var up: [ConnectionID?] = [nil, nil]
        var failure: String?
        var losses = 0

        init(seed: UInt64) {
            random = SeededGenerator(seed: seed)
            tables = [1, 2].map {
                LinkTable(own: identity($0), backoff: LinkBackoff(), random: SeededGenerator(seed: seed + UInt64($0)))
            }
            for side in 0...1 {
                perform(tables[side].want([identity(UInt16(2 - side)).id: address]), on: side)
            }
        }

        mutating func perform(_ actions: [Action], on side: Int) {
            for action in actions {
                switch action {
                case .dialControl(let id, _, _): dial(id, .control, nil, side)
                case .dialBulk(let id, _, _, let link, _): dial(id, .bulk, link, side)
                case .wait(_, let ticket, _): events.append(.due(side, ticket))
                case .welcome(let id, let control):
                    guard let connection = connections.first(where: { $0.dialler != side && $0.accepted == id }) else {
                        continue
                    }
                    events.append(.welcome(connection, control.rawValue))
                case .start(let control, let bulk):
                    for id in [control, bulk] {
                        guard let connection = connections.first(where: { $0.dialler == side && $0.dialled == id })
                        else {
                            continue
                        }
                        events.append(.ready(connection))
                    }
                case .close(let id, _): lose(id, side)
                case .abandon: break
                case .reportUp(_, let control):
                    if up[side] != nil { failure = "two links at once" }
                    up[side] = control
                case .reportLoss(_, let control):
                    if let current = up[side] {
                        if current != control { failure = "another link's loss" }
                        losses += 1
                    }
                    up[side] = nil
                    events.append(.reported(side))
                }
            }
        }

        mutating func dial(_ id: ConnectionID, _ lane: TransportLane, _ name: UInt64?, _ side: Int) {
            nextAccepted += 1
            let connection = Connection(
                dialler: side, lane: lane, dialled: id, accepted: ConnectionID(rawValue: nextAccepted | 1 << 63),
                name: name)
            connections.append(connection)
            open[side].insert(id)
            events.append(.greet(connection))
        }

        /// One end of a connection ends, and with it the other, sooner or later.
        mutating func lose(_ id: ConnectionID, _ side: Int) {
            guard open[side].remove(id) != nil else { return }
            events.append(.ended(side, id))
            for connection in connections {
                if connection.dialler == side, connection.dialled == id { lose(connection.accepted, 1 - side) }
                if connection.dialler != side, connection.accepted == id { lose(connection.dialled, 1 - side) }
            }
        }

        mutating func step() {
            let event = events.remove(at: Int.random(in: 0..<events.count, using: &random))
            switch event {
            case .greet(let connection):
                let other = 1 - connection.dialler
                guard open[connection.dialler].contains(connection.dialled) else { return }
                open[other].insert(connection.accepted)
                perform(
                    tables[other].greeted(
                        connection.accepted, by: identity(UInt16(connection.dialler + 1)), lane: connection.lane,
                        link: connection.name), on: other)
            case .welcome(let connection, let name):
                guard open[connection.dialler].contains(connection.dialled) else { return }
                let side = connection.dialler
                perform(
                    tables[side].welcomed(connection.dialled, by: identity(UInt16(2 - side)), link: name), on: side)
            case .ready(let connection):
                let other = 1 - connection.dialler
                guard open[other].contains(connection.accepted) else { return }
                perform(tables[other].ready(connection.accepted), on: other)
            case .ended(let side, let id): perform(tables[side].ended(id), on: side)
            case .reported(let side):
                perform(tables[side].lossReported(identity(UInt16(2 - side)).id), on: side)
            case .due(let side, let ticket):
                perform(tables[side].dialDue(identity(UInt16(2 - side)).id, ticket: ticket), on: side)
            }
            if Int.random(in: 0..<40, using: &random) == 0, let victim = open[0].randomElement(using: &random) {
                lose(victim, 0)
            }
        }
    }

    @Test func anyOrderOfEventsEndsInOneLink() {
        for seed in UInt64(1)...2_000 {
            var pair = Pair(seed: seed)
            var steps = 0
            while !pair.events.isEmpty, steps < 2_000, pair.failure == nil {
                pair.step()
                steps += 1
            }
            #expect(pair.failure == nil, "seed \(seed)")
            guard pair.events.isEmpty else {
                Issue.record("seed \(seed) does not come to rest")
                return
            }
            // At rest both have the same link, and nothing else is left.
            let isSame = pair.connections.contains { connection in
                connection.lane == .control
                    && pair.up[connection.dialler] == connection.dialled
                    && pair.up[1 - connection.dialler] == connection.accepted
            }
            #expect(isSame, "seed \(seed): \(pair.up)")
            #expect(pair.open[0].count == 2 && pair.open[1].count == 2, "seed \(seed)")
            #expect(pair.tables[0].connectionCount == 2 && pair.tables[1].connectionCount == 2, "seed \(seed)")
            if !isSame { return }
        }
    }
}

private let address = PeerAddress(host: "10.0.0.1", port: 7400)

private func identity(_ number: UInt16) -> NodeIdentity {
    NodeIdentity(name: "node-\(number)", id: NodeID(rawValue: number)!, incarnation: 1)
}
