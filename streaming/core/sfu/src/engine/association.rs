//! One transport with what its media needs: queue, logs, routes of received SSRCs, report timers.

use zhuandi_wire::time::Micros;

use crate::api::{Extensions, LessonId, Path, Proto, TransportId};
use crate::outage::Outage;
use crate::pacer::Pacer;
use crate::repair_budget::RepairBudget;
use crate::sent_log::SentLog;
use crate::stills::{End, Stills};
use crate::transport::{Epoch, Transport};
use crate::twcc_recorder::TwccRecorder;

/// Time between reports.
pub const REPORT_US: i64 = 1_000_000;
/// Time to the report after a stream began or switched.
const REPORT_SOON_US: i64 = 50_000;
/// Time between looks at holes, key-frame waits and silence of what is received.
pub const TICK_US: i64 = 20_000;
/// Most SSRCs that appear by themselves on one transport.
pub const MAX_UNDECLARED: usize = 16;

/// Where packets of one SSRC go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// Received SSRC.
    pub ssrc: u32,
    /// Index of the publication.
    pub publication: u32,
    /// Its encoding.
    pub encoding: u8,
    /// The SSRC carries repairs.
    pub repair: bool,
    /// The SDP named it.
    pub declared: bool,
}

/// Counters of one transport; they grow for ever.
#[derive(Clone, Copy, Debug, Default)]
pub struct TransportCounters {
    /// Media and RTCP datagrams that verified.
    pub rx_packets: u64,
    /// Their bytes.
    pub rx_bytes: u64,
    /// Media and RTCP datagrams sent.
    pub tx_packets: u64,
    /// Their bytes.
    pub tx_bytes: u64,
    /// The same with the headers of the link.
    pub link_bytes: u64,
}

/// What the receiver told since the policy looked last.
#[derive(Clone, Copy, Debug, Default)]
pub struct Told {
    /// When a receiver report or a REMB came last.
    pub heard_at: Option<Micros>,
    /// Last REMB, 0 = none.
    pub remb_bps: u64,
    /// Lost packets by receiver reports.
    pub lost: u64,
    /// Expected packets by receiver reports.
    pub expected: u64,
    /// Bytes of the link at the last look.
    pub sent_before: u64,
}

/// See the module.
pub struct Association {
    /// Handle.
    pub id: TransportId,
    /// Its lesson.
    pub lesson: LessonId,
    /// ICE, DTLS, SRTP.
    pub transport: Transport,
    /// Connected once, not closed.
    pub up: bool,
    /// Streams of legs that are gone: where a new leg with the same SSRC goes on.
    pub spent: Vec<(u32, u64)>,
    /// What waits to be sent.
    pub pacer: Pacer,
    /// What was sent under transport-wide numbers.
    pub sent: SentLog,
    /// What arrived under transport-wide numbers.
    pub twcc: TwccRecorder,
    /// Received SSRCs.
    pub routes: Vec<Route>,
    /// Indexes of the legs that end here.
    pub legs: Vec<u32>,
    /// Indexes of the publications that come from here.
    pub publications: Vec<u32>,
    /// Header extension ids of received packets.
    pub extensions: Extensions,
    /// Plain RTCP packets that wait.
    pub rtcp: Vec<Vec<u8>>,
    /// Next reports.
    pub report_at: Micros,
    /// Next tick of what is received.
    pub tick_at: Micros,
    /// Its data channel.
    pub stills: End,
    /// Counters.
    pub counters: TransportCounters,
    /// Feedback of the receiver.
    pub told: Told,
    /// Round trip by reports or checks.
    pub rtt_us: Option<i64>,
    /// Copies of sound in each packet: bit k stands for the packet k + 1 before (RFC 2198).
    pub redundancy: u16,
    /// What repairs may still take.
    pub budget: RepairBudget,
    /// Whether the receiver fell silent.
    pub outage: Outage,
    /// It is in the engine's list of those that have something to send.
    pub dirty: bool,
    /// Earliest timer in the heap.
    pub armed: Micros,
}

/// Most streams of legs that are gone.
const MAX_SPENT: usize = 64;
/// Round trip that is assumed before one was measured.
const DEFAULT_RTT_US: i64 = 50_000;
/// Most RTCP packets that wait.
const MAX_RTCP: usize = 64;

impl Association {
    /// A fresh association around a transport.
    pub fn new(id: TransportId, lesson: LessonId, transport: Transport) -> Association {
        Association {
            id,
            lesson,
            transport,
            up: false,
            spent: Vec::new(),
            pacer: Pacer::default(),
            sent: SentLog::default(),
            twcc: TwccRecorder::default(),
            routes: Vec::new(),
            legs: Vec::new(),
            publications: Vec::new(),
            extensions: Extensions::default(),
            rtcp: Vec::new(),
            report_at: Micros::NEVER,
            tick_at: Micros::NEVER,
            stills: End::new(Stills::None, false),
            counters: TransportCounters::default(),
            told: Told::default(),
            rtt_us: None,
            redundancy: 0,
            budget: RepairBudget::default(),
            outage: Outage::default(),
            dirty: false,
            armed: Micros::NEVER,
        }
    }

    /// Where an SSRC goes.
    pub fn route(&self, ssrc: u32) -> Option<Route> {
        self.routes.iter().find(|route| route.ssrc == ssrc).copied()
    }

    /// Remember where an SSRC goes; false when the transport has too many that no SDP named.
    pub fn bind(&mut self, route: Route) -> bool {
        let stale = |old: &Route| {
            old.publication == route.publication
                && old.encoding == route.encoding
                && old.repair == route.repair
        };
        self.routes
            .retain(|old| !stale(old) && old.ssrc != route.ssrc);
        let undeclared = self.routes.iter().filter(|old| !old.declared).count();
        if !route.declared && undeclared >= MAX_UNDECLARED {
            return false;
        }
        self.routes.push(route);
        true
    }

    /// A leg is gone: remember how far one of its streams came. The oldest stream is forgotten at the bound;
    /// SRTP refuses its indexes then, should it come back.
    pub fn spend(&mut self, ssrc: u32, index: u64) {
        self.spent.retain(|(other, _)| *other != ssrc);
        if self.spent.len() >= MAX_SPENT {
            self.spent.remove(0);
        }
        self.spent.push((ssrc, index));
    }

    /// Queue a plain RTCP packet; the oldest goes when nobody fetches them.
    pub fn queue_rtcp(&mut self, packet: Vec<u8>) {
        if packet.is_empty() {
            return;
        }
        if self.rtcp.len() >= MAX_RTCP {
            self.rtcp.remove(0);
        }
        self.rtcp.push(packet);
    }

    /// A stream began or switched: its receiver needs the clock soon, for lip sync.
    pub fn report_soon(&mut self, now: Micros) {
        self.report_at = self.report_at.min(now.plus(REPORT_SOON_US));
    }

    /// A datagram left: its bytes on the link, headers of IP, UDP or TCP and framing included.
    pub fn count_sent(&mut self, path: &Path, len: usize) -> usize {
        self.counters.tx_packets += 1;
        self.counters.tx_bytes += len as u64;
        let on_link = len + overhead(path);
        self.counters.link_bytes += on_link as u64;
        on_link
    }

    /// Round trip by reports or checks.
    pub fn known_rtt_us(&self) -> Option<i64> {
        self.rtt_us.or(self.transport.rtt_us())
    }

    /// Round trip for timers: a guess where nothing is known.
    pub fn rtt_or_default_us(&self) -> i64 {
        self.known_rtt_us()
            .or(self.sent.rtt_us())
            .unwrap_or(DEFAULT_RTT_US)
    }

    /// When it needs the next call.
    pub fn next(&self, now: Micros, epoch: Epoch) -> Micros {
        let media = self.report_at.min(self.tick_at).min(self.twcc.next());
        let silence = self.outage.next(self.rtt_or_default_us());
        let receiver = silence.min(self.pacer.probe.next());
        let queue = match self.dirty {
            true => Micros::NEVER,
            false => self.pacer.next(now),
        };
        let timers = self.transport.poll_timeout().min(media);
        let stills = self.stills.next(epoch, || self.pacer.leftover_at(now));
        timers.min(receiver).min(queue).min(stills)
    }
}

/// Bytes of headers around a datagram: IP and UDP, or IP, TCP (with timestamps) and RFC 4571.
fn overhead(path: &Path) -> usize {
    let ip = if path.remote.is_ipv6() { 40 } else { 20 };
    match path.proto {
        Proto::Udp => ip + 8,
        Proto::Tcp(_) => ip + 32 + 2,
    }
}
