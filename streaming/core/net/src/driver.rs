//! The engine with a floor under it: a panic (our bug) ends one session, at worst the worker's sessions, never the process.

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use aws_lc_rs::rand;
use zhuandi_sfu::api::{Command, Event, LogRecord, Outgoing, Path, TransportId};
use zhuandi_sfu::engine::Engine;
use zhuandi_sfu::transport::{Certificate, Epoch};
use zhuandi_wire::time::Micros;

/// So many panics without a quiet second between them: the engine's state is not to be trusted any more.
const HOPELESS: u32 = 8;
const QUIET_US: i64 = 1_000_000;

/// What every engine of a worker is made of.
#[derive(Clone)]
pub(crate) struct Origin {
    pub certificate: Arc<Certificate>,
    pub epoch: Epoch,
    /// Unix time at engine time 0.
    pub unix_us: i64,
}

impl Origin {
    fn engine(&self) -> Engine {
        let mut engine = Engine::new(Arc::clone(&self.certificate), self.epoch);
        engine.set_wall_clock(self.unix_us);
        let mut seed = [0; 8];
        // Without random numbers DTLS fails by itself; first sequence numbers need only differ.
        if rand::fill(&mut seed).is_ok() {
            engine.set_seed(u64::from_ne_bytes(seed));
        }
        engine
    }
}

/// See the module.
pub(crate) struct Driver {
    engine: Engine,
    origin: Origin,
    /// Who connected from where: names the session whose packet panicked.
    peers: HashMap<SocketAddr, TransportId>,
    open: HashSet<TransportId>,
    recent: u32,
    last_us: i64,
    /// Panics ever.
    pub panics: u64,
    told: VecDeque<Event>,
}

impl Driver {
    pub(crate) fn new(origin: Origin) -> Self {
        Self {
            engine: origin.engine(),
            origin,
            peers: HashMap::new(),
            open: HashSet::new(),
            recent: 0,
            last_us: 0,
            panics: 0,
            told: VecDeque::new(),
        }
    }

    /// Whether `work` came through.
    fn guard(&mut self, now: Micros, work: impl FnOnce(&mut Engine)) -> bool {
        if catch_unwind(AssertUnwindSafe(|| work(&mut self.engine))).is_ok() {
            return true;
        }
        self.panics += 1;
        self.recent = if now.since(Micros(self.last_us)) > QUIET_US {
            1
        } else {
            self.recent + 1
        };
        self.last_us = now.0;
        if self.recent >= HOPELESS {
            self.engine = self.origin.engine();
            self.recent = 0;
            self.peers.clear();
            self.told.extend(self.open.drain().map(internal_error));
        }
        false
    }

    fn end_session(&mut self, now: Micros, id: TransportId) {
        self.guard(now, |engine| {
            engine.handle_command(now, Command::Remove { handle: id.0 })
        });
        if self.open.remove(&id) {
            self.told.push_back(internal_error(id));
        }
    }

    pub(crate) fn command(&mut self, now: Micros, command: Command) {
        let opened = if let Command::OpenTransport { id, .. } = &command {
            Some(*id)
        } else {
            None
        };
        self.open.extend(opened);
        if !self.guard(now, |engine| engine.handle_command(now, command))
            && let Some(id) = opened
        {
            self.end_session(now, id);
        }
    }

    pub(crate) fn datagram(&mut self, now: Micros, path: Path, bytes: &mut [u8]) {
        if !self.guard(now, |engine| engine.handle_datagram(now, path, bytes))
            && let Some(id) = self.peers.get(&path.remote).copied()
        {
            self.end_session(now, id);
        }
    }

    pub(crate) fn timeout(&mut self, now: Micros) {
        self.guard(now, |engine| engine.handle_timeout(now));
    }

    /// When [`Driver::timeout`] is due.
    pub(crate) fn next_timeout(&self) -> Micros {
        self.engine.poll_timeout()
    }

    pub(crate) fn transmit(&mut self, now: Micros, out: &mut Outgoing) {
        self.guard(now, |engine| engine.poll_transmit(now, out));
    }

    pub(crate) fn event(&mut self) -> Option<Event> {
        let event = self.told.pop_front().or_else(|| self.engine.poll_event())?;
        match &event {
            Event::Connected { transport, path } => {
                self.peers.insert(path.remote, *transport);
            }
            Event::Closed { transport, .. } | Event::Failed { transport, .. } => {
                self.open.remove(transport);
                self.peers.retain(|_, id| id != transport);
            }
            Event::Disconnected { .. }
            | Event::FirstMedia { .. }
            | Event::Still { .. }
            | Event::OwnStill { .. } => {}
        }
        Some(event)
    }

    pub(crate) fn log(&mut self) -> Option<LogRecord> {
        self.engine.poll_log()
    }

    /// Direct use of the engine for columns; a panic there yields the default.
    pub(crate) fn ask<R: Default>(
        &mut self,
        now: Micros,
        question: impl FnOnce(&mut Engine) -> R,
    ) -> R {
        let mut answer = R::default();
        self.guard(now, |engine| answer = question(engine));
        answer
    }
}

fn internal_error(transport: TransportId) -> Event {
    Event::Closed {
        transport,
        reason: "internal error".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    fn driver() -> Driver {
        let (clock, epoch) = Clock::start();
        let certificate = Arc::new(Certificate::generate().unwrap());
        Driver::new(Origin {
            certificate,
            epoch,
            unix_us: clock.unix_start_us(),
        })
    }

    fn fail(driver: &mut Driver, at_us: i64) {
        assert!(!driver.guard(Micros(at_us), |_| panic!("a bug of ours")));
    }

    #[test]
    fn a_panic_is_counted_and_ends_only_the_session_that_it_was_for() {
        let mut driver = driver();
        driver.open.extend([TransportId(1), TransportId(2)]);
        fail(&mut driver, 10);
        driver.end_session(Micros(10), TransportId(1));
        assert_eq!(driver.panics, 1);
        assert_eq!(driver.event(), Some(internal_error(TransportId(1))));
        assert_eq!(driver.event(), None);
    }

    #[test]
    fn panics_without_end_close_the_sessions_of_the_worker_and_it_goes_on() {
        let mut driver = driver();
        driver.open.insert(TransportId(3));
        for at_us in 0..HOPELESS {
            assert_eq!(driver.event(), None);
            fail(&mut driver, i64::from(at_us));
        }
        assert_eq!(driver.event(), Some(internal_error(TransportId(3))));
        driver.timeout(Micros(100));
        assert_eq!(driver.panics, u64::from(HOPELESS));
    }

    #[test]
    fn panics_with_quiet_seconds_between_them_are_not_hopeless() {
        let mut driver = driver();
        driver.open.insert(TransportId(3));
        for second in 0..20 {
            fail(&mut driver, second * 2_000_000);
        }
        assert_eq!(driver.event(), None);
    }
}
