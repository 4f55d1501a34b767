import Foundation
import Testing

@testable import FluxAPI

/// The examples of AWS's own documentation ("Signature Calculations for the Authorization Header", S3 API Reference).
@Suite struct SignatureV4Tests {
    private let signer = SignatureV4(
        credentials: .init(
            accessKeyID: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        region: "us-east-1")
    /// 24 May 2013, 00:00 UTC.
    private let second = 1_369_353_600
    private let host = ("host", "examplebucket.s3.amazonaws.com")

    private func signature(_ request: SignatureV4.Request) throws -> String {
        let authorization = try #require(signer.sign(request, at: second).first { $0.name == "authorization" }).value
        return try #require(authorization.components(separatedBy: "Signature=").last)
    }

    @Test func getObject() throws {
        let request = SignatureV4.Request(
            method: "GET", path: "/test.txt", headers: [host, ("range", "bytes=0-9")],
            payloadHash: SignatureV4.emptyPayload)
        #expect(try signature(request) == "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")
    }

    @Test func putObject() throws {
        let request = SignatureV4.Request(
            method: "PUT", path: "/test%24file.text",
            headers: [host, ("date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")],
            payloadHash: "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072")
        #expect(try signature(request) == "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd")
    }

    @Test func bucketLifecycle() throws {
        let request = SignatureV4.Request(
            method: "GET", path: "/", query: [("lifecycle", "")], headers: [host], payloadHash: SignatureV4.emptyPayload
        )
        #expect(try signature(request) == "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543")
    }

    @Test func listObjects() throws {
        let request = SignatureV4.Request(
            method: "GET", path: "/", query: [("prefix", "J"), ("max-keys", "2")], headers: [host],
            payloadHash: SignatureV4.emptyPayload)
        #expect(try signature(request) == "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")
    }

    @Test func endpointsAreRead() throws {
        func configuration(_ endpoint: String, isPathStyle: Bool = true) -> S3Configuration? {
            S3Configuration(
                endpoint: endpoint, bucket: "b", region: "auto", credentials: signer.credentials, prefix: "p/",
                isPathStyle: isPathStyle)
        }
        let aws = try #require(configuration("https://s3.eu-central-1.amazonaws.com/"))
        #expect(
            (aws.isSecure, aws.host, aws.port, aws.hostField) == (true, "s3.eu-central-1.amazonaws.com", 443, aws.host))
        let local = try #require(configuration("http://127.0.0.1:9000"))
        #expect((local.isSecure, local.port, local.hostField) == (false, 9_000, "127.0.0.1:9000"))
        #expect(configuration("http://[::1]:9000")?.hostField == "[::1]:9000")
        let key = try #require(ObjectKey(["a", "c"]))
        #expect(aws.path(of: key) == "/b/p/a/c")
        let virtual = try #require(configuration("https://s3.example.com", isPathStyle: false))
        #expect((virtual.path(of: key), virtual.hostField) == ("/p/a/c", "b.s3.example.com"))
        for bad in ["", "s3.example.com", "ftp://x", "https://", "https://h/path", "http://h:0", "http://h:x"] {
            #expect(configuration(bad) == nil)
        }
        // A secret must not get into a log by way of a description.
        #expect(!"\(aws)".contains("wJalr"))
    }
}
