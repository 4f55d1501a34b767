import ArgumentParser
import Histogram

@main enum FluxBench { static func main() {} }
