import Testing
@testable import FluxSecurity
