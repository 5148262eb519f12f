//! The controlling agent towards one candidate list: checks, nomination, consent and round trip (RFC 8445 7.2, RFC 7675).

use std::net::SocketAddr;

use aws_lc_rs::rand;
use zhuandi_wire::time::Micros;

use super::ice::Credentials;
use super::stun::{Message, TransactionId, binding_request};
use crate::api::{Path, Proto};
use crate::drop_reason::DropReason;

/// Candidates of a peer that are tried.
const MAX_CANDIDATES: usize = 16;
/// Between the first checks of two candidates (RFC 8445 14.2: Ta).
const PACING_US: i64 = 50_000;
/// First retransmission; doubles.
const FIRST_RTO_US: i64 = 250_000;
const LAST_RTO_US: i64 = 2_000_000;
/// Between checks of the path in use: consent and round trip.
const KEEPALIVE_US: i64 = 2_500_000;
/// Unanswered checks that are remembered per candidate.
const OPEN_TRANSACTIONS: usize = 4;
/// Host candidate over UDP (RFC 8445 5.1.2.1), as we would be seen: peer reflexive.
const PRIORITY: u32 = (110 << 24) | (65_535 << 8) | 255;

struct Check {
    proto: Proto,
    remote: SocketAddr,
    due: Micros,
    rto_us: i64,
    open: Vec<(TransactionId, Micros)>,
}

/// What a verified answer tells.
pub(super) struct Valid {
    /// The 5-tuple that works.
    pub(super) path: Path,
    /// Round trip of this check.
    pub(super) rtt_us: i64,
}

/// All checks of one association.
pub(super) struct Checks {
    local: SocketAddr,
    tie_breaker: u64,
    list: Vec<Check>,
    nominated: Option<(Proto, SocketAddr)>,
}

impl Checks {
    pub(super) fn new(now: Micros, local: SocketAddr, candidates: &[(Proto, SocketAddr)]) -> Self {
        let mut tie_breaker = [0; 8];
        let _ = rand::fill(&mut tie_breaker);
        let list = candidates
            .iter()
            .take(MAX_CANDIDATES)
            .map(|(proto, remote)| Check {
                proto: *proto,
                remote: *remote,
                due: now,
                rto_us: FIRST_RTO_US,
                open: Vec::new(),
            });
        let mut checks = Self {
            local,
            tie_breaker: u64::from_be_bytes(tie_breaker),
            list: list.collect(),
            nominated: None,
        };
        checks.start(now);
        checks
    }

    /// Try all candidates (again): at the beginning, after a restart, when the path in use went silent.
    pub(super) fn start(&mut self, now: Micros) {
        self.nominated = None;
        let mut due = now;
        for check in &mut self.list {
            (check.due, check.rto_us) = (due, FIRST_RTO_US);
            due = due.plus(PACING_US);
        }
    }

    /// When a check is due.
    pub(super) fn due(&self) -> Micros {
        self.list
            .iter()
            .filter(|check| self.is_active(check))
            .map(|check| check.due)
            .min()
            .unwrap_or(Micros::NEVER)
    }

    /// The requests that are due.
    pub(super) fn handle_timeout(
        &mut self,
        now: Micros,
        credentials: &Credentials,
    ) -> Vec<(Path, Vec<u8>)> {
        let nominated = self.nominated;
        let mut requests = Vec::new();
        for check in &mut self.list {
            let in_use = nominated == Some((check.proto, check.remote));
            if now < check.due || (nominated.is_some() && !in_use) {
                continue;
            }
            let mut transaction = [0; 12];
            let _ = rand::fill(&mut transaction);
            if check.open.len() >= OPEN_TRANSACTIONS {
                check.open.remove(0);
            }
            check.open.push((transaction, now));
            check.due = now.plus(check.rto_us);
            check.rto_us = (check.rto_us * 2).min(LAST_RTO_US);
            let path = Path {
                proto: check.proto,
                local: self.local,
                remote: check.remote,
            };
            let username = &credentials.outgoing;
            let key = &credentials.remote_key();
            requests.extend(
                binding_request(
                    transaction,
                    username,
                    PRIORITY,
                    self.tie_breaker,
                    in_use,
                    key,
                )
                .map(|bytes| (path, bytes)),
            );
        }
        requests
    }

    /// Take a success response: it must answer an open check of ours from where that went, and verify.
    pub(super) fn handle_success(
        &mut self,
        now: Micros,
        path: Path,
        answer: &Message<'_>,
        credentials: &Credentials,
    ) -> Result<Valid, DropReason> {
        let check = self
            .list
            .iter_mut()
            .find(|check| (check.proto, check.remote) == (path.proto, path.remote));
        let check = check.ok_or(DropReason::StunUnexpected)?;
        let open = check
            .open
            .iter()
            .position(|(id, _)| *id == answer.transaction);
        let open = open.ok_or(DropReason::StunUnexpected)?;
        if !answer.verifies(&credentials.remote_key()) {
            return Err(DropReason::StunIntegrity);
        }
        let (_, sent) = check.open.swap_remove(open);
        let this = (check.proto, check.remote);
        if self.nominated.is_none() {
            self.nominated = Some(this);
            // Nominate at once: the next check carries USE-CANDIDATE.
            (check.due, check.rto_us) = (now, FIRST_RTO_US);
        } else if self.nominated == Some(this) {
            (check.due, check.rto_us) = (now.plus(KEEPALIVE_US), FIRST_RTO_US);
            check.open.clear();
        }
        Ok(Valid {
            path,
            rtt_us: now.since(sent),
        })
    }

    /// Is this the path that we nominated?
    pub(super) fn uses(&self, path: &Path) -> bool {
        self.nominated == Some((path.proto, path.remote))
    }

    fn is_active(&self, check: &Check) -> bool {
        self.nominated
            .is_none_or(|nominated| nominated == (check.proto, check.remote))
    }
}
