import FluxCore
import FluxStore
import Testing

@testable import FluxRealtime

/// What READY says of a person (protocol 7.7).
@Suite(.serialized) struct ReadyTests {
    @Test func readyHasEverythingThatIsThePersons() async throws {
        try await TestNode.run { node in
            let (ada, bob) = (try await node.person("ada"), try await node.person("bob"))
            let guild = try await node.guild(of: bob)
            try await node.join(ada, guild, by: bob)
            try await node.befriend(bob, ada)
            let channel = try await node.direct(ada, with: bob)
            let first = try await node.say("one", in: guild.channel, as: bob)
            try await node.act(
                .acknowledge(guild.channel, try #require(first["id"]?.snowflakeValue)), as: ada)
            for text in ["<@\(ada.userID)> hey", "nobody", "@everyone"] {
                try await node.say(text, in: guild.channel, as: bob)
            }
            for text in ["a", "b", "c"] { try await node.say(text, in: channel, as: bob) }
            try await node.act(.updateSettings, ["theme": "dark"], as: ada)
            try await node.act(.updateGuildSettings(guild.id), ["muted": true], as: ada)

            let client = try await node.connect(ada)
            let ready = client.ready
            #expect(ready["relationships"]?.arrayValue?.map { $0["type"] } == [1])
            #expect(ready["relationships"]?.arrayValue?.first?["user"]?["username"] == "bob")
            #expect(ready["private_channels"]?.arrayValue?.map { $0["id"]?.snowflakeValue } == [channel])
            #expect(ready["user_settings"] == ["theme": "dark"])
            #expect(ready["user_guild_settings"]?["partial"] == false)
            #expect(ready["user_guild_settings"]?["entries"]?.arrayValue?.first?["muted"] == true)
            #expect(ready["sessions"]?.arrayValue?.map { $0["session_id"]?.stringValue } == [client.sessionID])
            #expect(ready["users"]?.arrayValue?.map { $0["username"] } == ["bob"])
            let states = try #require(ready["read_state"])
            #expect(states["partial"] == false)
            let entries = try #require(states["entries"]?.arrayValue)
            let inGuild = try #require(entries.first { $0["id"]?.snowflakeValue == guild.channel })
            #expect(inGuild["mention_count"]?.intValue == 2)
            #expect(inGuild["last_message_id"] == first["id"])
            #expect(inGuild["last_seq"]?.intValue == 4)
            let inDirect = try #require(entries.first { $0["id"]?.snowflakeValue == channel })
            #expect(inDirect["mention_count"]?.intValue == 3)
        }
    }

    @Test func whatOneSaysOneselfIsRead() async throws {
        try await TestNode.run { node in
            let (ada, bob) = (try await node.person("ada"), try await node.person("bob"))
            let guild = try await node.guild(of: bob)
            try await node.join(ada, guild, by: bob)
            try await node.say("first", in: guild.channel, as: ada)
            try await node.say("<@\(ada.userID)> hey", in: guild.channel, as: bob)
            let own = try await node.say("here I am", in: guild.channel, as: ada)
            // Within a second of the message it counts.
            while true {
                let client = try await node.connect(ada)
                let entries = client.ready["read_state"]?["entries"]?.arrayValue ?? []
                let entry = entries.first { $0["id"]?.snowflakeValue == guild.channel }
                await client.drop(closeCode: 1000)
                guard let entry, entry["last_message_id"] == own["id"] else {
                    try await Task.sleep(for: .milliseconds(50))
                    continue
                }
                #expect(entry["mention_count"]?.intValue == 0)
                #expect(client.count(.messageAck) == 0)
                break
            }
        }
    }
}
