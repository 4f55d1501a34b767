import Histogram
import ArgumentParser
@main enum FluxBench { static func main() {} }
