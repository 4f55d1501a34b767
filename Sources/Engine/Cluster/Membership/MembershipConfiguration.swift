/// The numbers of failure detection, with what they follow from (design 5: a dead process whose host refuses is confirmed
/// in less than 2 s, a silent one in less than 5 s, one that was paused for 1 s is not).
public struct MembershipConfiguration: Sendable {
    /// One member is probed in each interval.
    public var probeInterval: Duration = .milliseconds(500)
    /// After this a probe is repeated through others, who have the rest of the interval.
    public var probeTimeout: Duration = .milliseconds(200)
    /// Through how many.
    public var indirectProbes = 3
    /// When one of these says that it got no answer either: early enough to be heard within the interval (Lifeguard: 80 %
    /// of the time-out).
    public var noAnswerAfter: Duration = .milliseconds(160)

    /// How long a suspected member has to refute when enough others suspect it too. A pause of 1 s that begins right
    /// before a probe leaves 0.5 s until it is suspected and 0.5 s until it wakes: it then has another second.
    public var shortestSuspicion: Duration = .milliseconds(1500)
    /// The same when nobody confirms. First probe (at most about 1 s later), failed probe (0.5 s) and this stay below 5 s.
    public var longestSuspicion: Duration = .seconds(3)
    /// How many others have to confirm until the shortest time holds (Lifeguard: K = 3).
    public var confirmations = 3
    /// How long a member has whose host has refused a connection: the process is gone, unless it is about to start.
    public var refusedSuspicion: Duration = .milliseconds(500)

    /// How often news is sent without waiting for a probe to carry it.
    public var gossipInterval: Duration = .milliseconds(100)
    /// To how many, chosen at random.
    public var gossipFanout = 3
    /// The most pieces of news in one message. With links of 100 nodes in each report that is below 10 kB.
    public var rumoursPerMessage = 32
    /// Each piece is sent for this many rounds times the logarithm of the number of members (SWIM 4.1).
    public var retransmissionFactor = 4
    /// How many pieces wait at most; beyond it those go that were sent most often.
    public var waitingRumours = 2048

    /// How often everything is exchanged with one member, so that news that was lost on all ways arrives too.
    public var exchangeInterval: Duration = .seconds(30)
    /// How often one of the dead is asked whether it is.
    public var knockInterval: Duration = .seconds(1)
    /// Who was heard directly within this time is not held dead on hearsay. Longer than a probe takes.
    public var freshness: Duration = .milliseconds(700)
    /// A wake-up that comes later than this means that this process stood still, and time did not count.
    public var lateness: Duration = .milliseconds(100)
    /// The worst score of own health (Lifeguard: S = 8).
    public var worstHealth = 8
    /// How much longer each point of it makes a suspicion.
    public var suspicionPerPoint = 0.25
    /// How many probes for others may be under way; beyond it they are told that there is no answer.
    public var relayedProbes = 256

    /// The numbers of design 5.
    public init() {}
}
