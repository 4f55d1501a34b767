import FluxCore
import FluxFuzzing
import HTTPTypes
import Testing

@testable import FluxAPI

/// Everything of a request that is no JSON and no multipart: the path, the query, ranges, addresses, media types, data URIs,
/// cookies; and the forms of the account routes.
@Suite struct RequestFuzzTests {
    @Test func queriesAreReadOrRefusedByName() {
        var generator = FuzzGenerator(seed: 71)
        for _ in 0..<FuzzBudget.inputs {
            let query = generator.mutate(
                "limit=50&before=175928847299117063&wait=1&q=a%20b+c&has=link&has=file",
                alphabet: "&=%+0123456789aFé\u{0}")
            let parameters = QueryParameters(query)
            for name in ["limit", "before", "wait", "q", "has", ""] {
                #expect(parameters.all(name).count <= 64)
                if let value = parameters[name] { #expect(!value.isEmpty && !value.utf8.contains(0)) }
                do throws(APIError) {
                    if let number = try parameters.integer(name, in: 1...100) { #expect((1...100).contains(number)) }
                    _ = try parameters.flag(name)
                    if let cursor = try parameters.snowflake(name) { #expect(cursor.rawValue <= UInt64(Int64.max)) }
                } catch {
                    #expect(error.status == 400 && error.code == 50035)
                }
            }
        }
    }

    @Test func pathsHaveOneFormHoweverTheyAreWritten() {
        var generator = FuzzGenerator(seed: 72)
        for _ in 0..<FuzzBudget.inputs {
            let path = generator.mutate("/api/v10/users/%40me/guilds?before=1", alphabet: "/v109%40me?.api")
            let canonical = RequestPath.canonical(path)
            #expect(canonical.utf8.count <= path.utf8.count)
            #expect(!canonical.hasPrefix("/api/v10/") || path.hasPrefix("/api/v"))
        }
    }

    @Test func rangesNeverLeaveTheFile() {
        var generator = FuzzGenerator(seed: 73)
        for _ in 0..<FuzzBudget.inputs {
            let field = generator.mutate(
                generator.pick([
                    "bytes=0-499", "bytes=-500", "bytes=9223372036854775807-", "bytes=1-9223372036854775807",
                ]),
                alphabet: "bytes=-0123456789, ")
            guard let range = RequestedRange(field) else { continue }
            let size = generator.pick([0, 1, 500, Int.max])
            if let bytes = range.resolve(size: size) {
                #expect(bytes.lowerBound >= 0 && bytes.upperBound <= size && !bytes.isEmpty, "\(field)")
            }
            #expect(RequestedRange(range.description) == range)
        }
    }

    @Test func dataURIsAreDecodedOrRefused() {
        var generator = FuzzGenerator(seed: 74)
        var accepted = 0
        for _ in 0..<FuzzBudget.inputs {
            let text = generator.mutate(
                "data:image/png;base64,iVBORw0KGgoAAAANSUhEUg==", alphabet: "data:;base64,=+/-_AZaz09 \u{0}é")
            guard let bytes = DataURI.decode(text) else { continue }
            accepted += 1
            #expect(bytes.count <= text.utf8.count / 4 * 3 + 3)
            _ = ImageHeader(bytes)
        }
        #expect(accepted > 0)
    }

    @Test func headersOfAnyBytesAreReadOrIgnored() {
        var generator = FuzzGenerator(seed: 75)
        for _ in 0..<FuzzBudget.inputs {
            let parameters = HeaderParameters(
                generator.mutate(
                    "form-data; name=\"a\"; filename*=UTF-8''%41%2f; x=\"\\\"\"", alphabet: ";=\"\\'*% \t\u{0}é")[...]
                    .unicodeScalars)
            _ = parameters.extended("filename")
            #expect(!parameters.value.contains(";"))
            let cookie = generator.mutate("a=b; flux_access=to.ke.n; flux_refresh=x", alphabet: ";= ,flux_access\"")
            var fields = HTTPFields()
            fields.append(HTTPField(name: .cookie, value: cookie))
            if let token = SessionCookies.accessToken(in: fields) { #expect(!token.isEmpty && !token.contains(";")) }
        }
    }

    @Test func formsOfAccountsAreReadOrRefusedByField() {
        var generator = FuzzGenerator(seed: 76)
        let bodies: [JSON] = [
            [
                "username": "some.body", "password": "correct horse", "email": "a@b.example", "global_name": "Some",
                "invite": "abc", "return_token": true,
            ],
            ["login": "some.body", "password": "correct horse", "return_token": nil],
            ["name": "bot", "description": "d", "bot_public": false, "icon": "a1b2"],
        ]
        var accepted = 0
        for _ in 0..<FuzzBudget.inputs {
            let body = generator.oneIn(20) ? generator.json() : generator.mutate(generator.pick(bodies))
            do throws(APIError) {
                let form = try RegistrationForm(body)
                accepted += 1
                #expect((2...32).contains(form.username.utf8.count))
                #expect(form.password.utf8.count <= 1024 && form.password.unicodeScalars.count >= 8)
            } catch {
                #expect(error.status == 400 && error.code == 50035)
            }
            do throws(APIError) { _ = try LoginForm(body) } catch { #expect(error.code == 50035) }
            do throws(APIError) {
                let form = try ApplicationForm(body)
                if let name = form.name { #expect((1...32).contains(name.unicodeScalars.count)) }
            } catch {
                #expect(error.code == 50035)
            }
        }
        #expect(accepted > 0)
    }
}
