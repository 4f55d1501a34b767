import Hummingbird
import ArgumentParser
import Yams
import ServiceLifecycle

