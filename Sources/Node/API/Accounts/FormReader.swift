import FluxCore

/// Reads the string fields of a body and gathers what is wrong with them, so that one refusal names every field. A text with
/// a NUL, which no column can hold, is wrong everywhere.
struct FormReader {
    /// Adds a complaint about the field that is being read: a constant for programs and a sentence for people.
    typealias Complain = (_ code: String, _ message: String) -> Void

    private let body: JSON
    private var errors = FormErrors()

    init(_ body: JSON) {
        self.body = body
    }

    /// A string that must be there. Where it is not, the value is empty and means nothing, because ``check()`` throws.
    mutating func required(_ name: String, _ read: (String, Complain) -> String) -> String {
        guard let value = body[name], !value.isNull else {
            errors.add([name], code: "BASE_TYPE_REQUIRED", message: "This field is required")
            return ""
        }
        return string(value, name, read) ?? ""
    }

    /// A string that may be null or absent.
    mutating func optional(_ name: String, _ read: (String, Complain) -> String) -> String? {
        guard let value = body[name], !value.isNull else { return nil }
        return string(value, name, read)
    }

    /// A truth value that may be null or absent, which is false.
    mutating func flag(_ name: String) -> Bool {
        guard let value = body[name], !value.isNull else { return false }
        guard let flag = value.boolValue else {
            errors.add([name], code: "BOOLEAN_TYPE_CONVERT", message: "Must be either true or false.")
            return false
        }
        return flag
    }

    /// Throws the refusal, if there are complaints.
    func check() throws(APIError) {
        try errors.check()
    }

    private mutating func string(_ value: JSON, _ name: String, _ read: (String, Complain) -> String) -> String? {
        guard let text = value.stringValue else {
            errors.add([name], code: "STRING_TYPE_CONVERT", message: "Could not interpret \"\(name)\" as string.")
            return nil
        }
        guard !text.utf8.contains(0) else {
            errors.add(
                [name], code: "BASE_TYPE_INVALID", message: "The text holds a character that cannot be stored.")
            return nil
        }
        var complaints: [(code: String, message: String)] = []
        let result = read(text) { complaints.append(($0, $1)) }
        for complaint in complaints { errors.add([name], code: complaint.code, message: complaint.message) }
        return result
    }
}
