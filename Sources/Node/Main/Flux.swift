@main enum Flux { static func main() {} }
