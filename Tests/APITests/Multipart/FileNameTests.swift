import FluxAPI
import Testing

@Suite struct FileNameTests {
    @Test(arguments: [
        ("a.png", "a.png"), ("/etc/passwd", "passwd"), ("C:\\dir\\x.txt", "x.txt"), ("../../x", "x"), ("..", "file"),
        ("", "file"), ("/", "file"), (".htaccess", "htaccess"), ("a\u{0}b\r\n.txt", "ab.txt"),
        ("grün 👍.png", "grün 👍.png"),
        ("exe\u{202E}gpj.exe", "exegpj.exe"), (" x . ", "x"), ("a..", "a"),
    ]) func namesAreCleaned(from: String, to: String) {
        #expect(FileName.clean(from) == to)
    }

    @Test func longNamesKeepTheirExtension() {
        let name = FileName.clean(String(repeating: "ä", count: 300) + ".jpeg")
        #expect(name.utf8.count <= FileName.limit)
        #expect(name.hasSuffix("ä.jpeg"))
        #expect(FileName.extension(of: "a.tar.gz") == "gz")
        #expect(FileName.extension(of: "a.") == nil)
        #expect(FileName.extension(of: ".a") == nil)
        #expect(FileName.extension(of: "a.12345678901234567") == nil)
    }
}
