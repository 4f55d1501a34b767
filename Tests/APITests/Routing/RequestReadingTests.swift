import FluxCore
import HTTPTypes
import Testing

@testable import FluxAPI

/// The small readers of paths, queries and addresses.
@Suite struct RequestReadingTests {
    @Test func pathsHaveOneForm() {
        #expect(RequestPath.canonical("/api/v10/users/@me?a=%40me") == "/api/users/@me?a=%40me")
        #expect(RequestPath.canonical("/api/v9/users/%40me/guilds?x") == "/api/users/@me/guilds?x")
        #expect(RequestPath.canonical("/api/v10") == "/api")
        #expect(RequestPath.canonical("/api/v10?x") == "/api?x")
        #expect(RequestPath.canonical("/api/v101/a") == "/api/v101/a")
        #expect(RequestPath.canonical("/avatars/1/x.png") == "/avatars/1/x.png")
        #expect(RequestPath.canonical("") == "")
    }

    @Test func booleansAreWrittenInSixWays() throws {
        for text in ["true", "True", "1"] { #expect(try QueryParameters("wait=\(text)").flag("wait") == true) }
        for text in ["false", "False", "0"] { #expect(try QueryParameters("wait=\(text)").flag("wait") == false) }
        #expect(try QueryParameters("wait=").flag("wait") == nil)
        #expect(throws: APIError.self) { try QueryParameters("wait=yes").flag("wait") }
    }

    @Test func cursorsMayBeAnyNumberUpTo63Bits() throws {
        #expect(try QueryParameters("before=0").snowflake("before") == Snowflake(0))
        #expect(try QueryParameters("before=9223372036854775807").snowflake("before") == .maximum)
        for bad in ["-1", "9223372036854775808", "1e3", "x", "%31x"] {
            #expect(throws: APIError.self) { try QueryParameters("before=\(bad)").snowflake("before") }
        }
        #expect(try QueryParameters(nil).snowflake("before") == nil)
    }

    @Test func integersKeepToTheirRange() throws {
        #expect(try QueryParameters("limit=100").integer("limit", in: 1...100) == 100)
        for bad in ["0", "101", "ten", "1.0", "99999999999999999999"] {
            #expect(throws: APIError.self) { try QueryParameters("limit=\(bad)").integer("limit", in: 1...100) }
        }
    }

    @Test func queriesAreDecodedAndBounded() {
        let query = QueryParameters("a=1&a=2&b=x+y%2Bz&broken=%zz&nul=%00&&=&c")
        #expect(query.all("a") == ["1", "2"])
        #expect(query["b"] == "x y+z")
        #expect(query["broken"] == nil)
        #expect(query["nul"] == nil)
        #expect(query["c"] == nil)
        let many = QueryParameters((0..<100).map { "k=\($0)" }.joined(separator: "&"))
        #expect(many.all("k").count == 64)
    }

    @Test func datesAreThoseOfHTTP() {
        #expect(HTTPDate.format(784_111_777) == "Sun, 06 Nov 1994 08:49:37 GMT")
    }
}
