import FluxCore
import Foundation
import NIOCore
import Testing

/// How a node ends: in good order at the first SIGTERM, at once at the second.
@Suite struct StopTests {
    @Test func aTermSignalDrains() async throws {
        try await withNode { node in
            let population = try await Population.make(on: node, people: 2)
            let (alice, bob) = (population.people[0], population.people[1])
            let channel = try #require(population.channels.first)
            let (sender, listener) = (node.gateway(alice), node.gateway(bob))
            try await sender.identify()
            try await listener.identify()
            for number in 0..<100 { sender.sendMessage("message \(number)", to: channel, nonce: "n\(number)") }
            try await listener.waitForMessages(1, in: channel)

            node.signal(SIGTERM)
            _ = try await eventually("the node to say that it drains") {
                try await node.reasonsAgainstReadiness()?.contains("draining") == true ? true : nil
            }
            _ = try await eventually("op 7 to both") {
                sender.reconnectRequests == 1 && listener.reconnectRequests == 1 ? true : nil
            }
            #expect(try await node.process.waitForEnd() == .exit(0))
            #expect(node.card == nil, "node.json is for nodes that serve")

            try await node.restart()
            let log = try await ChannelLog.read(channel, with: node.client(bob))
            #expect(log.violations(of: SendLedger()) == [])
            // What was acknowledged is there, and so is all else that was shown: the lanes were emptied.
            let stored = Set(log.messages.compactMap(\.nonce))
            #expect(Set(sender.acknowledgedNonces).isSubset(of: stored))
            let shown = listener.messages(in: channel).compactMap { $0.data["nonce"]?.stringValue }
            #expect(!shown.isEmpty)
            #expect(Set(shown).isSubset(of: stored))
            #expect(sender.violations + listener.violations == [])
        }
    }

    @Test func aSecondTermSignalEndsAtOnce() async throws {
        try await withProxiedNode { node, proxy in
            let population = try await Population.make(on: node, people: 1)
            let channel = try #require(population.channels.first)
            let sender = node.gateway(population.people[0])
            try await sender.identify()
            // A lane that cannot be emptied.
            proxy.arm(.stall(.minutes(10)))
            sender.sendMessage("kept", to: channel, nonce: "n")
            try await proxy.waitForStrike(after: 0)

            node.signal(SIGTERM)
            _ = try await eventually("op 7") { sender.reconnectRequests == 1 ? true : nil }
            _ = try await eventually("the end of the connection") { sender.isConnected ? nil : true }
            #expect(node.process.ended == nil, "it ended before the lane was empty")
            node.signal(SIGTERM)
            #expect(try await node.process.waitForEnd() == .exit(130))
            #expect(sender.acknowledgedNonces == [])
        }
    }
}
