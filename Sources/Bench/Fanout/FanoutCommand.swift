import ArgumentParser

/// `flux-bench fanout`: one channel with many sessions.
struct FanoutCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fanout", abstract: "One channel, many sessions: how long a message takes to all of them.",
        discussion: """
            An open loop: each message is due at its time, whatever the server does, and its latency counts from then on. \
            Every session checks every event; in the end all is compared with the history.

              flux admin provision --users 1000 --guilds 1 --members 1000 --out people.jsonl
              flux-bench fanout --people people.jsonl --rate 50,200,500 --pid $(pidof flux)

            Ends with status 2 when the server broke a promise, 1 when the run could not be made. Rate limits have to be \
            off on the nodes.
            """)

    @OptionGroup var load: LoadOptions

    @Option(help: "Messages a second; several, with commas between, are steps one after the other.")
    var rate = RateList(rates: [50])

    @Option(help: "How many of the sessions send; 0: only listen, while another generator sends.")
    var senders = 10

    @Option(help: "The channel; without it the first of the file.")
    var channel: UInt64?

    func validate() throws {
        guard senders >= 0 else { throw ValidationError("--senders: 0 or more") }
    }

    func run() async throws {
        try await LoadCommand.guarding {
            let plan = try LoadPlan.fanout(
                try load.roster(), channel: channel, sessions: load.sessions, senders: senders)
            try await LoadCommand.run("fanout", load, plan, try load.settings(), steps: rate)
        }
    }
}
