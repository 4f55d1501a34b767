import NIOCore
import Testing

@testable import FluxAPI

/// The events of a form, its content put together.
struct ParsedForm: Equatable {
    var parts: [MultipartPart] = []
    var contents: [[UInt8]] = []
    var isComplete = false
    var error: MultipartError?

    /// Parses a body that comes in pieces that end at the given places.
    init(_ body: [UInt8], boundary: String = "B", limits: MultipartLimits = MultipartLimits(), cuts: [Int] = []) {
        var parser = MultipartParser(boundary: boundary, limits: limits)
        var open = false
        do {
            var start = 0
            for end in cuts.sorted() + [body.count] where end >= start {
                try parser.feed(ByteBuffer(bytes: body[start..<end]))
                start = end
                while let event = try parser.next() {
                    switch event {
                    case .begin(let part):
                        #expect(!open && !isComplete)
                        open = true
                        parts.append(part)
                        contents.append([])
                    case .content(let bytes):
                        #expect(open && bytes.readableBytes > 0)
                        contents[contents.count - 1] += Array(buffer: bytes)
                    case .end:
                        #expect(open)
                        open = false
                    case .finished:
                        #expect(!open && !isComplete)
                        isComplete = true
                    }
                }
            }
            try parser.finish()
        } catch {
            self.error = error
        }
    }

    var texts: [String] { contents.map { String(decoding: $0, as: UTF8.self) } }
}

/// RFC 7578 and RFC 2046 5.1, and what the libraries really send.
@Suite struct MultipartParserTests {
    private let form = Array(
        """
        --B\r
        Content-Disposition: form-data; name="payload_json"\r
        Content-Type: application/json\r
        \r
        {"content":"x"}\r
        --B\r
        Content-Disposition: form-data; name="files[0]"; filename="a.png"\r
        Content-Type: image/png\r
        \r
        \r\n--\r\n-B\r
        --B--\r

        """.utf8)

    @Test func partsAreTakenApart() {
        let parsed = ParsedForm(form)
        #expect(
            parsed.parts == [
                MultipartPart(name: "payload_json", filename: nil, contentType: "application/json"),
                MultipartPart(name: "files[0]", filename: "a.png", contentType: "image/png"),
            ])
        #expect(parsed.texts == [#"{"content":"x"}"#, "\r\n--\r\n-B"])
        #expect(parsed.isComplete && parsed.error == nil)
    }

    @Test func whereABodyIsCutChangesNothing() {
        let whole = ParsedForm(form)
        for cut in 0...form.count { #expect(ParsedForm(form, cuts: [cut]) == whole) }
        #expect(ParsedForm(form, cuts: Array(0...form.count)) == whole)
        for first in stride(from: 0, to: form.count, by: 3) {
            for second in stride(from: first, to: form.count, by: 7) {
                #expect(ParsedForm(form, cuts: [first, second]) == whole)
            }
        }
    }

    @Test func everyBeginningOfAFormIsTruncated() {
        // The closing delimiter is complete with its two dashes; the line end behind it is not needed.
        for end in 0..<form.count - 2 {
            #expect(ParsedForm(Array(form[..<end])).error == .truncated)
        }
        #expect(ParsedForm(Array(form[..<(form.count - 2)])).error == nil)
    }

    @Test func preambleAndEpilogueAreIgnored() {
        let body = Array("hello --B\r\n".utf8) + form + Array("--B\r\nmore".utf8)
        let parsed = ParsedForm(body)
        #expect(parsed.texts == ParsedForm(form).texts)
        #expect(parsed.error == nil)
    }

    @Test func emptyPartsAndBlanksBehindDelimitersAreParts() {
        let body = Array("--B \t\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n--B--".utf8)
        let parsed = ParsedForm(body)
        #expect(parsed.parts == [MultipartPart(name: "a", filename: nil, contentType: nil)])
        #expect(parsed.contents == [[]])
        #expect(parsed.isComplete)
    }

    @Test func aBoundaryThatBeginsAnotherIsNotIt() {
        let body = Array("--B\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n--BX\r\n--B--".utf8)
        // Behind the delimiter neither a line end nor two dashes follow.
        #expect(ParsedForm(body).error == .malformed)
    }

    @Test func headersAreReadAsLibrariesWriteThem() throws {
        func part(_ header: String) -> MultipartPart? { MultipartPart(headerBlock: Array(header.utf8)) }
        // discord.py: raw UTF-8. hikari: percent-encoded, and a file name on the JSON as well. Browsers: `%22`.
        #expect(
            part("\r\nContent-Disposition: form-data; name=\"files[0]\"; filename=\"grün 👍.png\"")?.filename
                == "grün 👍.png")
        let json = try #require(
            part(
                "Content-Type: application/octet-stream\r\nContent-Disposition: form-data; name=\"payload_json\"; filename=\"payload_json\""
            ))
        #expect(json.name == "payload_json")
        #expect(json.fileIndex == nil)
        #expect(part("content-disposition:form-data;name=\"a\\\"b\"")?.name == "a\"b")
        #expect(
            part("Content-Disposition: form-data; name=a; filename=\"C:\\dir\\x.png\"")?.filename == "C:\\dir\\x.png")
        #expect(
            part("Content-Disposition: form-data; name=a; filename=\"x\"; filename*=UTF-8''%e2%82%ac%20.txt")?.filename
                == "€ .txt")
        #expect(
            part("Content-Type: Text/Plain; charset=utf-8\r\nContent-Disposition: form-data; name=a")?.contentType
                == "text/plain")
        #expect(part("Content-Disposition: attachment; name=a") == nil)
        #expect(part("Content-Disposition: form-data") == nil)
        #expect(part("no colon\r\nContent-Disposition: form-data; name=a") == nil)
        // Bytes that are no UTF-8 are Latin-1.
        #expect(
            MultipartPart(
                headerBlock: Array("Content-Disposition: form-data; name=\"".utf8) + [0xE4] + Array("\"".utf8))?.name
                == "ä")
    }

    @Test func filesAreKnownByTheirNames() {
        func index(_ name: String) -> Int? { MultipartPart(name: name, filename: "x", contentType: nil).fileIndex }
        #expect(index("files[0]") == 0)
        #expect(index("files[12]") == 12)
        #expect(index("file") == 0)
        #expect(index("file3") == 3)
        for name in [
            "files[]", "files[-1]", "files[99999]", "files[1", "files", "filesx", "payload_json", "file 1", "files[١]",
        ] {
            #expect(index(name) == nil)
        }
    }

    @Test func limitsHold() {
        func file(_ count: Int, name: String = "files[0]") -> [UInt8] {
            Array("--B\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n".utf8)
                + [UInt8](repeating: 13, count: count) + Array("\r\n".utf8)
        }
        let end = Array("--B--\r\n".utf8)
        let limits = MultipartLimits(
            parts: 3, files: 2, headerBytes: 200, fieldBytes: 50, fileBytes: 100, totalBytes: 2_000)
        #expect(ParsedForm(file(100) + end, limits: limits).contents == [[UInt8](repeating: 13, count: 100)])
        #expect(ParsedForm(file(101) + end, limits: limits).error == .tooLarge)
        #expect(ParsedForm(file(50, name: "payload_json") + end, limits: limits).error == nil)
        #expect(ParsedForm(file(51, name: "payload_json") + end, limits: limits).error == .tooLarge)
        #expect(ParsedForm(file(1) + file(1) + end, limits: limits).error == nil)
        #expect(ParsedForm(file(1) + file(1) + file(1) + end, limits: limits).error == .tooManyParts)
        let fields = (0..<3).flatMap { file(1, name: "f\($0)x") }
        #expect(ParsedForm(fields + end, limits: limits).error == nil)
        #expect(ParsedForm(fields + file(1, name: "g") + end, limits: limits).error == .tooManyParts)
        let long = Array("--B\r\nX: \(String(repeating: "y", count: 300))".utf8)
        #expect(ParsedForm(long, limits: limits).error == .tooLarge)
        #expect(ParsedForm([UInt8](repeating: 65, count: 2_001), limits: limits).error == .tooLarge)
        #expect(ParsedForm(Array("--B\r\nX: y\r\n\r\n".utf8), limits: limits).error == .malformed)
    }

    @Test func boundariesAreReadFromTheContentType() {
        func boundary(_ type: String) -> String? { MultipartParser.boundary(ofContentType: type) }
        #expect(boundary("multipart/form-data; boundary=abc") == "abc")
        #expect(boundary("Multipart/Form-Data;charset=utf-8; Boundary=\"a b'()+_,-./:=?\"") == "a b'()+_,-./:=?")
        #expect(boundary("multipart/mixed; boundary=abc") == nil)
        #expect(boundary("multipart/form-data") == nil)
        #expect(boundary("multipart/form-data; boundary=") == nil)
        #expect(boundary("multipart/form-data; boundary=\(String(repeating: "a", count: 71))") == nil)
        #expect(boundary("multipart/form-data; boundary=ä") == nil)
    }
}
