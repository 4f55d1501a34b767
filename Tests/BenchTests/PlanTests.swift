import Foundation
import Testing

@testable import flux_bench

@Suite struct PlanTests {
    /// Three guilds of four people with a channel each; the first person is in all of them.
    private let roster = Roster(people: (0..<12).map(PlanTests.person))

    private static func person(_ number: Int) -> Person {
        let channels: [UInt64] = number == 0 ? [100, 101, 102] : [100 + UInt64(number / 4)]
        return Person(id: UInt64(number + 1), name: "p\(number)", token: "t", channels: channels)
    }

    @Test func fanoutTakesTheMembersOfOneChannel() throws {
        let plan = try LoadPlan.fanout(roster, channel: 101, sessions: nil, senders: 2)
        #expect(plan.people.map(\.name) == ["p0", "p4", "p5", "p6", "p7"])
        #expect(plan.channels.ids == [101])
        #expect(plan.senders.map(\.session) == [0, 1])
        #expect(throws: RunFailure.self) { try LoadPlan.fanout(roster, channel: 101, sessions: 6, senders: 1) }
        #expect(try LoadPlan.fanout(roster, channel: nil, sessions: 1, senders: 9).senders.count == 1)
    }

    @Test func roomsAreSentToInTurn() throws {
        let plan = try LoadPlan.rooms(roster, rooms: 3, members: 2, sessions: nil)
        #expect(plan.channels.ids == [100, 101, 102])
        #expect(plan.senders.map(\.channels) == [[0], [1], [2], [0], [1], [2]])
        #expect(plan.senders.map { plan.people[$0.session].name } == ["p0", "p0", "p0", "p1", "p4", "p8"])
        #expect(throws: RunFailure.self) { try LoadPlan.rooms(roster, rooms: 4, members: nil, sessions: nil) }
        #expect(throws: RunFailure.self) { try LoadPlan.rooms(roster, rooms: 3, members: 9, sessions: nil) }
    }

    @Test func everybodySendsInAllTheirChannels() throws {
        let plan = try LoadPlan.everybody(roster, sessions: nil)
        #expect(plan.people.count == 12)
        #expect(plan.senders.first?.channels == [0, 1, 2])
        // One after the other is of another channel.
        #expect(plan.senders.prefix(3).map { plan.people[$0.session].name } == ["p0", "p4", "p8"])
    }

    @Test func urls() throws {
        #expect(try Target("http://127.0.0.1:8080").port == 8_080)
        #expect(try Target("http://example.org/").authority == "example.org:80")
        #expect(try Target("http://[::1]:9").authority == "[::1]:9")
        for url in ["https://a", "http://a/b", "http://", "http://a:0", "http://a:x", "a:70000"] {
            #expect(throws: RunFailure.self, "\(url)") { try Target(url) }
        }
    }

    @Test func rates() {
        #expect(RateList(argument: "50,200.5")?.rates == [50, 200.5])
        for text in ["", "0", "-1", "a", "1,,b", "1,0"] { #expect(RateList(argument: text) == nil, "\(text)") }
    }

    @Test func filesOfPeople() throws {
        let path = NSTemporaryDirectory() + "flux-bench-people-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let line = #"{"user_id":"17","username":"a","access_token":"t","guild_ids":["1"],"channel_ids":["2","3"]}"#
        try (line + "\n").write(toFile: path, atomically: true, encoding: .utf8)
        #expect(try Roster.read(path).people == [Person(id: 17, name: "a", token: "t", channels: [2, 3])])
        try (line + "\n{\"error\":\"no\"}\n").write(toFile: path, atomically: true, encoding: .utf8)
        #expect(throws: RunFailure.self) { try Roster.read(path) }
        #expect(throws: RunFailure.self) { try Roster.read(path + "-not-there") }
    }

    @Test func tokensThatEndTooSoonAreRefused() throws {
        let claims = Data(#"{"sub":"1","exp":1000}"#.utf8).base64EncodedString().replacingOccurrences(of: "=", with: "")
        let token = "a.\(claims).b"
        #expect(AccessTokenExpiry.seconds(of: token) == 1_000)
        #expect(AccessTokenExpiry.seconds(of: "Bot x") == nil)
        let roster = Roster(people: [Person(id: 1, name: "a", token: token, channels: [])])
        try roster.requireTokens(for: 99, now: Date(timeIntervalSince1970: 900))
        #expect(throws: RunFailure.self) { try roster.requireTokens(for: 101, now: Date(timeIntervalSince1970: 900)) }
        #expect(throws: RunFailure.self) { try roster.requireTokens(for: 1, now: Date(timeIntervalSince1970: 1_001)) }
    }

    @Test func moreSessionsThanFilesAreRefusedWithWhatToDo() {
        let failure = #expect(throws: RunFailure.self) { try DescriptorLimit.require(connections: 50_000_000) }
        #expect(failure?.description.contains("--skip") == true)
        #expect(throws: Never.self) { try DescriptorLimit.require(connections: 10) }
    }

    @Test func marks() {
        let marks = Marks()
        marks.take(" kill node 2 ", at: 5)
        marks.take("", at: 6)
        #expect(!marks.hasEnded)
        marks.take("end", at: 7)
        #expect(marks.hasEnded)
        #expect(marks.all == [Marks.Mark(name: "kill node 2", at: 5)])
    }
}
