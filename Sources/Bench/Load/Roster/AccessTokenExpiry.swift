import FluxCore
import Foundation

/// When an access token ends, read from the token itself (protocol 10.1: a JWT with `exp`).
enum AccessTokenExpiry {
    /// Seconds since 1970; nil for a token of another form.
    static func seconds(of token: String) -> Int? {
        let parts = token.split(separator: ".")
        guard parts.count == 3 else { return nil }
        var text = parts[1].replacingOccurrences(of: "-", with: "+").replacingOccurrences(of: "_", with: "/")
        while text.utf8.count % 4 != 0 { text += "=" }
        guard let claims = Data(base64Encoded: text), let object = try? JSON.parse(Array(claims)) else { return nil }
        return object["exp"]?.intValue
    }
}
