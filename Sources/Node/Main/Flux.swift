import FluxOps

/// The process.
@main enum Flux {
    static func main() async {
        await FluxCommand.runProcess()
    }
}
