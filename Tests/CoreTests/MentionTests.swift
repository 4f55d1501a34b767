import FluxCore
import Testing

@Suite struct MentionTests {
    @Test func findsEveryForm() {
        let found = ScannedMentions(scanning: "hi <@1> <@!2> <@1>, <@&3> <@&3> and @everyone")
        #expect(found.users == [UserID(1), UserID(2)])
        #expect(found.roles == [RoleID(3)])
        #expect(found.everyone)
        #expect(ScannedMentions(scanning: "@here").everyone)
    }

    @Test(arguments: [
        "", "<@>", "<@x>", "<@1", "<1>", "@", "everyone", "<@!>", "<@&>", "<@0>", "<@99999999999999999999>", "<#1>",
        "@ here",
    ])
    func findsNothingElse(text: String) {
        #expect(ScannedMentions(scanning: text) == ScannedMentions())
    }

    @Test func passesOverCode() {
        #expect(ScannedMentions(scanning: "`<@1>` <@2> ```\n@everyone <@3>\n``` <@4>").users == [UserID(2), UserID(4)])
        #expect(!ScannedMentions(scanning: "``@everyone ` x``").everyone)
        // A run that nothing closes is text.
        #expect(ScannedMentions(scanning: "`<@1>").users == [UserID(1)])
        #expect(ScannedMentions(scanning: "``<@1>`").users == [UserID(1)])
    }

    @Test func hostileTextTakesLinearTime() {
        let text = String(repeating: "<@", count: 100_000) + String(repeating: "`a``b", count: 50_000)
        #expect(ScannedMentions(scanning: text).users.isEmpty)
    }

    @Test func allowedMentionsChooseAmongWhatStandsInTheText() throws {
        let scanned = ScannedMentions(scanning: "<@1> <@2> <@&3> @everyone")
        func allowed(_ json: JSON) throws -> ScannedMentions {
            let draft = try MessageDraft(json: ["content": "x", "allowed_mentions": json])
            return try #require(draft.allowedMentions).filter(scanned)
        }
        #expect(AllowedMentions.everything.filter(scanned) == scanned)
        #expect(try allowed([:]) == ScannedMentions())
        #expect(try allowed(["parse": ["users"]]).users == scanned.users)
        #expect(try allowed(["parse": ["users"]]).everyone == false)
        #expect(try allowed(["users": ["2", 9]]).users == [UserID(2)])
        #expect(try allowed(["parse": ["everyone", "roles"]]).roles == [RoleID(3)])
        #expect(throws: APIError.self) { try allowed(["parse": ["users"], "users": ["1"]]) }
        #expect(throws: APIError.self) { try allowed(["parse": ["all"]]) }
    }
}
