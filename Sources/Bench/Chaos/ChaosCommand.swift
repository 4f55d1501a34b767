import ArgumentParser

/// `flux-bench chaos`: a load that goes on while nodes are killed, stopped, cut off and restarted.
struct ChaosCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chaos",
        abstract: "A load that goes on through faults, and the audit of what every client was told.",
        discussion: """
            Sessions come back to any of the urls: RESUME, and when that is refused IDENTIFY and the log of every channel \
            that has moved. Sends that were refused or not answered are made again under the same nonce. In the end every \
            acknowledged message has to be in the history once, and no client may be left with anything else.

            With --marks a line on standard input says what is being done to the nodes, right before it is done; for each \
            the time is told that channels went without an acknowledgement and sessions without a message. The line `end` \
            ends the load.

              (sleep 10; echo kill node 2; kill -9 $PID2; sleep 20; echo end) |
                flux-bench chaos --people people.jsonl --url http://127.0.0.1:8081 --url http://127.0.0.1:8082 \\
                  --rate 2000 --duration 120 --marks
            """)

    @OptionGroup var load: LoadOptions

    @Option(help: "Messages a second in all channels together.")
    var rate = 100.0

    @Flag(help: "Read marks from standard input.")
    var marks = false

    @Flag(
        help: """
            A failed request (a 503 counts) or a session that could not be resumed is a violation, too: for a rolling restart.
            """)
    var expectNoFailure = false

    func validate() throws {
        guard rate > 0, rate <= 1_000_000 else { throw ValidationError("--rate has to be positive") }
        guard !marks || load.people != "-" else {
            throw ValidationError("--marks and --people - both want standard input")
        }
    }

    func run() async throws {
        try await LoadCommand.guarding {
            let plan = try LoadPlan.everybody(try load.roster(), sessions: load.sessions)
            var settings = try load.settings()
            settings.repeats = true
            settings.expectsFaults = true
            let seconds = load.duration + 3 * load.drain
            try await LoadCommand.run("chaos", load, plan, settings, seconds: seconds) { run, report in
                try await ChaosLoad(run: run, plan: plan, options: load, rate: rate, readsMarks: marks).run(&report)
            } judge: { report in
                if expectNoFailure { report.requireNoFailure() }
            }
        }
    }
}
