import FluxCore
import FluxFuzzing
import Testing

@testable import FluxOps

/// What comes to the admin port to be provisioned: read within its limits or refused with a sentence.
@Suite struct ProvisionRequestFuzzTests {
    @Test func bodiesAreReadWithinTheirLimitsOrRefused() throws {
        var generator = FuzzGenerator(seed: 101)
        let sensible = ProvisionRequest(users: 10, guilds: 2, members: 5, channels: 3, prefix: "user").encoded()
        let document = try JSON.parse(sensible)
        var accepted = 0
        for _ in 0..<FuzzBudget.inputs {
            let bytes =
                generator.oneIn(2)
                ? generator.mutate(document).encoded()
                : generator.mutate(sensible, alphabet: Array("{}\",:0123456789-e.\u{0}".utf8))
            guard let request = try? ProvisionRequest(body: bytes) else { continue }
            accepted += 1
            #expect(request.users >= 1 && request.members <= request.users && (1...500).contains(request.channels))
            #expect((1...24).contains(request.prefix.utf8.count))
            let again = try ProvisionRequest(body: request.encoded())
            #expect(again.users == request.users && again.prefix == request.prefix)
        }
        #expect(accepted > 0)
    }
}
