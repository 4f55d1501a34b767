import FluxFuzzing
import NIOCore
import Testing

@testable import FluxAPI

/// No bytes make the parsers trap or hang, and how bytes are cut into pieces never changes what they mean.
@Suite struct MultipartFuzzTests {
    private let alphabet = Array("\r\n-B:;=\"\\ %'files[0]name".utf8) + [0, 0xC3, 0xFF]

    private func randomForm(_ generator: inout SeededGenerator) -> [UInt8] {
        let names = ["payload_json", "files[0]", "files[1]", "file", "x", "\\\"", ""]
        var body: [UInt8] = []
        for _ in 0..<Int.random(in: 0...3, using: &generator) {
            let name = names.randomElement(using: &generator) ?? ""
            body += Array("--B\r\nContent-Disposition: form-data; name=\"\(name)\"; filename=\"a\"\r\n\r\n".utf8)
            body += (0..<Int.random(in: 0...20, using: &generator)).map { _ in
                alphabet.randomElement(using: &generator) ?? 0
            }
            body += Array("\r\n".utf8)
        }
        return body + Array("--B--\r\n".utf8)
    }

    @Test func mutatedFormsMeanTheSameHoweverTheyAreCut() async {
        var generator = SeededGenerator(seed: 11)
        let limits = MultipartLimits(
            parts: 4, files: 2, headerBytes: 100, fieldBytes: 30, fileBytes: 40, totalBytes: 1_000)
        var complete = 0
        for await _ in GivingWay(0..<(FuzzBudget.inputs * 7 / 10)) {
            var body = randomForm(&generator)
            if Bool.random(using: &generator) { body.mutate(alphabet: alphabet, using: &generator) }
            let whole = ParsedForm(body, limits: limits)
            let cuts = (0..<Int.random(in: 1...4, using: &generator)).map { _ in
                Int.random(in: 0...body.count, using: &generator)
            }
            let pieces = ParsedForm(body, limits: limits, cuts: cuts)
            #expect(pieces.error == whole.error)
            #expect(pieces.isComplete == whole.isComplete)
            if whole.error == nil {
                #expect(pieces == whole)
                complete += 1
            }
        }
        #expect(complete > 0)
    }

    @Test func headersAndNamesOfAnyBytesAreReadOrRefused() async {
        var generator = SeededGenerator(seed: 12)
        for await _ in GivingWay(0..<(FuzzBudget.inputs * 3 / 10)) {
            var header = Array(
                "Content-Disposition: form-data; name=\"a\"; filename*=UTF-8''%41; filename=\"b\\\"c\"\r\nContent-Type: a/b"
                    .utf8)
            header.mutate(alphabet: alphabet, using: &generator)
            guard let part = MultipartPart(headerBlock: header) else { continue }
            let name = FileName.clean(part.filename ?? part.name)
            #expect(!name.isEmpty && name.utf8.count <= FileName.limit)
            #expect(!name.contains("/") && !name.contains("\\") && name.first != ".")
            #expect(FileName.clean(name) == name)
        }
    }
}
