import Testing

@testable import FluxGateway

@Suite struct TrustedProxiesTests {
    private let proxies = TrustedProxies(["10.0.0.0/8", "127.0.0.1", "fd00::/8"].compactMap { .init($0) })

    @Test func withoutATrustedProxyTheHeaderIsIgnored() {
        #expect(TrustedProxies([]).client(peer: "10.0.0.1", forwardedFor: ["6.6.6.6"]) == "10.0.0.1")
        #expect(proxies.client(peer: "5.5.5.5", forwardedFor: ["6.6.6.6"]) == "5.5.5.5")
        #expect(proxies.client(peer: "", forwardedFor: ["6.6.6.6"]) == "")
    }

    @Test func theNearestUntrustedAddressIsTheClient() {
        #expect(proxies.client(peer: "10.1.2.3", forwardedFor: ["6.6.6.6"]) == "6.6.6.6")
        #expect(proxies.client(peer: "10.1.2.3", forwardedFor: ["1.1.1.1, 6.6.6.6"]) == "6.6.6.6")
        #expect(proxies.client(peer: "10.1.2.3", forwardedFor: ["1.1.1.1, 6.6.6.6 , 10.9.9.9"]) == "6.6.6.6")
        #expect(proxies.client(peer: "127.0.0.1", forwardedFor: ["1.1.1.1", "6.6.6.6,10.9.9.9"]) == "6.6.6.6")
        #expect(proxies.client(peer: "fd12::1", forwardedFor: ["2001:db8::7"]) == "2001:db8::7")
    }

    @Test func entriesMayHavePorts() {
        #expect(proxies.client(peer: "10.1.2.3", forwardedFor: ["6.6.6.6:4711"]) == "6.6.6.6")
        #expect(proxies.client(peer: "10.1.2.3", forwardedFor: ["[2001:db8::7]:4711"]) == "2001:db8::7")
        #expect(proxies.client(peer: "10.1.2.3", forwardedFor: ["[2001:db8::7]"]) == "2001:db8::7")
    }

    @Test func aBrokenEntryEndsTheSearch() {
        #expect(proxies.client(peer: "10.1.2.3", forwardedFor: ["6.6.6.6, unknown"]) == "10.1.2.3")
        #expect(proxies.client(peer: "10.1.2.3", forwardedFor: ["6.6.6.6, bad, 10.9.9.9"]) == "10.9.9.9")
        #expect(proxies.client(peer: "10.1.2.3", forwardedFor: ["[::1"]) == "10.1.2.3")
        #expect(proxies.client(peer: "10.1.2.3", forwardedFor: []) == "10.1.2.3")
    }

    @Test func mappedAddressesAreWhatTheyMap() {
        #expect(proxies.client(peer: "::ffff:10.1.2.3", forwardedFor: ["6.6.6.6"]) == "6.6.6.6")
    }

    @Test func networks() {
        for text in ["10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0/8", "", "::/129", "a.b.c.d", "/8"] {
            #expect(TrustedProxies.Network(text) == nil)
        }
        let odd = TrustedProxies([TrustedProxies.Network("192.168.4.0/23")!])
        #expect(odd.client(peer: "192.168.5.255", forwardedFor: ["6.6.6.6"]) == "6.6.6.6")
        #expect(odd.client(peer: "192.168.6.0", forwardedFor: ["6.6.6.6"]) == "192.168.6.0")
        let everybody = TrustedProxies([TrustedProxies.Network("0.0.0.0/0")!])
        #expect(everybody.client(peer: "8.8.8.8", forwardedFor: ["6.6.6.6"]) == "6.6.6.6")
    }
}
