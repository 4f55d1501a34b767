import FluxSecurity
import Testing

@Suite struct ClientAddressTests {
    @Test func addressesOfOneClientAreEqual() throws {
        #expect(ClientAddress("::ffff:192.0.2.1") == ClientAddress("192.0.2.1"))
        #expect(ClientAddress("example.com") == nil)
        let first = try #require(ClientAddress("2001:db8:1:2:3::1"))
        let second = try #require(ClientAddress("2001:db8:1:2:ffff::"))
        #expect(first != second)
        #expect(first.limitingPrefix == second.limitingPrefix)
    }

    @Test func onlyThisMachinesAddressesAreLoopback() throws {
        for own in ["::ffff:127.0.0.1", "::1", "127.8.8.8"] { #expect(try #require(ClientAddress(own)).isLoopback) }
        for other in ["128.0.0.1", "::2", "0.0.0.0"] { #expect(try #require(ClientAddress(other)).isLoopback == false) }
        #expect(ClientAddress(nil).isLoopback)
    }

    @Test func theTextOfAnAddressIsReadAsThatAddress() throws {
        for text in ["192.0.2.1", "::", "2001:db8::7", "::ffff:10.0.0.1"] {
            let address = try #require(ClientAddress(text))
            #expect(ClientAddress(address.description) == address)
        }
    }
}
