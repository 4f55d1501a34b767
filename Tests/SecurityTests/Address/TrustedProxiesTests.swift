import FluxFuzzing
import FluxSecurity
import Testing

@Suite(.timeLimit(FuzzBudget.timeLimit)) struct TrustedProxiesTests {
    private let proxies = TrustedProxies(["10.0.0.0/8", "127.0.0.1", "fd00::/8"])

    private func client(_ peer: String, _ forwardedFor: [String], _ proxies: TrustedProxies? = nil) throws -> String {
        let trusted = try #require(proxies ?? self.proxies)
        return trusted.client(of: try #require(ClientAddress(peer)), forwardedFor: forwardedFor).description
    }

    @Test func withoutATrustedProxyTheHeaderIsIgnored() throws {
        #expect(try client("10.0.0.1", ["6.6.6.6"], TrustedProxies.none) == "10.0.0.1")
        #expect(try client("10.0.0.1", ["6.6.6.6"], TrustedProxies([])) == "10.0.0.1")
        #expect(try client("5.5.5.5", ["6.6.6.6"]) == "5.5.5.5")
        let all = try #require(TrustedProxies(["0.0.0.0/0", "::/0"]))
        #expect(all.client(of: ClientAddress(nil), forwardedFor: ["6.6.6.6"]) == ClientAddress(nil))
    }

    @Test func theNearestUntrustedAddressIsTheClient() throws {
        #expect(try client("10.1.2.3", ["6.6.6.6"]) == "6.6.6.6")
        #expect(try client("10.1.2.3", ["1.1.1.1, 6.6.6.6"]) == "6.6.6.6")
        #expect(try client("10.1.2.3", ["1.1.1.1, 6.6.6.6 ,\t10.9.9.9"]) == "6.6.6.6")
        #expect(try client("127.0.0.1", ["1.1.1.1", "6.6.6.6,10.9.9.9"]) == "6.6.6.6")
        #expect(try client("10.1.2.3", ["10.7.7.7,10.9.9.9"]) == "10.7.7.7")
        #expect(try client("fd12::1", ["2001:db8::7"]) == "2001:db8:0:0:0:0:0:7")
    }

    @Test func entriesMayHavePorts() throws {
        #expect(try client("10.1.2.3", ["6.6.6.6:4711"]) == "6.6.6.6")
        #expect(try client("10.1.2.3", ["[2001:db8::7]:4711"]) == "2001:db8:0:0:0:0:0:7")
        #expect(try client("10.1.2.3", ["[2001:db8::7]"]) == "2001:db8:0:0:0:0:0:7")
    }

    @Test func aBrokenEntryEndsTheSearch() throws {
        #expect(try client("10.1.2.3", ["6.6.6.6, unknown"]) == "10.1.2.3")
        #expect(try client("10.1.2.3", ["6.6.6.6, bad, 10.9.9.9"]) == "10.9.9.9")
        #expect(try client("10.1.2.3", ["[::1"]) == "10.1.2.3")
        #expect(try client("10.1.2.3", []) == "10.1.2.3")
    }

    @Test func mappedAddressesAreWhatTheyMap() throws {
        #expect(try client("::ffff:10.1.2.3", ["6.6.6.6"]) == "6.6.6.6")
        #expect(try client("10.1.2.3", ["::ffff:6.6.6.6"]) == "6.6.6.6")
    }

    @Test func bitsOfANetworkAreCompared() throws {
        let trusted = try #require(TrustedProxies(["192.0.2.128/25", "192.168.4.0/23", "2001:db8::/33"]))
        for inside in ["192.0.2.128", "192.0.2.255", "192.168.5.255", "2001:db8:7fff::1"] {
            #expect(try client(inside, ["203.0.113.7"], trusted) == "203.0.113.7")
        }
        for outside in ["192.0.2.127", "192.0.3.128", "192.168.6.0", "2001:db8:8000::1"] {
            let peer = try #require(ClientAddress(outside))
            #expect(trusted.client(of: peer, forwardedFor: ["203.0.113.7"]) == peer)
        }
    }

    @Test func whatIsNoNetworkIsRefused() {
        for text in [
            "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0.0/x", "10.0.0/8", "", "::/129", "a.b.c.d", "/8",
            "nonsense",
        ] {
            #expect(TrustedProxies([text]) == nil)
            #expect(TrustedProxies(["10.0.0.0/8", text]) == nil)
        }
    }

    @Test func headersOfAnyTextGiveAnAddress() throws {
        var generator = FuzzGenerator(seed: 76)
        let proxies = try #require(TrustedProxies(["127.0.0.0/8", "::1"]))
        let peer = try #require(ClientAddress("127.0.0.1"))
        var believed = 0
        for _ in 0..<FuzzBudget.inputs {
            let entry = generator.mutate(
                generator.pick(["1.2.3.4", "2001:db8::1", "[::1]:80", "::ffff:10.0.0.1"]),
                alphabet: "0123456789abcdef:.[]%/, ")
            let client = proxies.client(of: peer, forwardedFor: [entry, "127.0.0.2"])
            #expect(!client.bytes.isEmpty)
            if client.description != "127.0.0.2" { believed += 1 }
        }
        #expect(believed > FuzzBudget.inputs / 10)
    }
}
