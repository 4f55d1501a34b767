import ArgumentParser

/// `flux-bench rooms`: many channels with few sessions each.
struct RoomsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rooms", abstract: "Many channels with few sessions each, and all send.",
        discussion: """
            Like fanout, with the load spread over channels: one message after the other goes to another one.

              flux admin provision --users 10000 --guilds 1000 --members 10 --out people.jsonl
              flux-bench rooms --people people.jsonl --rate 1000,5000

            A guild for each channel keeps the sessions from hearing each other's channels.
            """)

    @OptionGroup var load: LoadOptions

    @Option(help: "Messages a second in all channels together; several, with commas between, are steps.")
    var rate = RateList(rates: [1_000])

    @Option(help: "How many channels; without it all of the file.")
    var rooms: Int?

    @Option(help: "How many sessions in each; without it everybody who is in it.")
    var members: Int?

    func validate() throws {
        guard rooms ?? 1 > 0, members ?? 1 > 0 else {
            throw ValidationError("--rooms and --members have to be positive")
        }
    }

    func run() async throws {
        try await LoadCommand.guarding {
            let plan = try LoadPlan.rooms(try load.roster(), rooms: rooms, members: members, sessions: load.sessions)
            try await LoadCommand.run("rooms", load, plan, try load.settings(), steps: rate)
        }
    }
}
