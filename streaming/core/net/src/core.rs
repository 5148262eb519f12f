//! The packet core as one value: commands are checked here, on the caller's thread, and posted to the workers.

use std::io;
use std::net::IpAddr;
use std::os::fd::{AsRawFd, RawFd};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use zhuandi_sfu::api::{Command, IceCredentials, LessonId, LogRecord};
use zhuandi_sfu::report::{FeedbackRow, Stats};
use zhuandi_sfu::transport::Certificate;

use crate::bind::bind_workers;
use crate::clock::Clock;
use crate::credentials;
use crate::driver::Origin;
use crate::error::CoreError;
use crate::events::{CoreEvent, EventQueue};
use crate::log_format::kind;
use crate::log_queue::Job;
use crate::log_writer::{self, lock_directory};
use crate::mailbox::{Letter, Mailbox};
use crate::shared::Shared;
use crate::sys::interface_addresses;
use crate::worker::Worker;

/// Longest body of an EVENT record.
const MAX_EVENT: usize = 16 << 10;

/// How a core starts.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// First port; worker i has `port + i`. 0 picks free ones.
    pub port: u16,
    /// Threads.
    pub workers: usize,
    /// Host candidates; all interfaces when empty.
    pub addresses: Vec<IpAddr>,
    /// DTLS certificate and key; a fresh one when absent.
    pub certificate_pem: Option<Vec<u8>>,
}

/// See the module.
pub struct Core {
    pub(crate) shared: Arc<Shared>,
    certificate: Arc<Certificate>,
    pub(crate) addresses: Vec<IpAddr>,
    pub(crate) ports: Vec<u16>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Core {
    /// Bind the ports and start the threads.
    pub fn start(config: &Config) -> Result<Self, CoreError> {
        if config.workers == 0 || config.workers > 64 {
            return Err(CoreError::Bad(format!(
                "workers is {}, must be 1 to 64",
                config.workers
            )));
        }
        let certificate = match &config.certificate_pem {
            Some(pem) => Certificate::from_pem(pem).map_err(CoreError::Bad)?,
            None => {
                Certificate::generate().map_err(|words| CoreError::Io(io::Error::other(words)))?
            }
        };
        let certificate = Arc::new(certificate);
        let sockets = bind_workers(config.port, config.workers)?;
        let ports = sockets.iter().map(|(udp, _)| udp.bound().port()).collect();
        let (clock, epoch) = Clock::start();
        let origin = Origin {
            certificate: Arc::clone(&certificate),
            epoch,
            unix_us: clock.unix_start_us(),
        };
        let events = Arc::new(EventQueue::new()?);
        let mailboxes = (0..config.workers)
            .map(|_| Mailbox::new())
            .collect::<io::Result<Vec<_>>>()?;
        let shared = Arc::new(Shared::new(clock, events, mailboxes));
        let mut threads = Vec::new();
        for (index, (udp, tcp)) in sockets.into_iter().enumerate() {
            let worker = Worker::new(index, Arc::clone(&shared), udp, tcp, origin.clone())?;
            let name = format!("zd-worker-{index}");
            threads.push(
                std::thread::Builder::new()
                    .name(name)
                    .spawn(move || worker.run())?,
            );
        }
        threads.push(log_writer::start(
            Arc::clone(&shared.log),
            Arc::clone(&shared.events),
            clock,
        )?);
        let addresses = if config.addresses.is_empty() {
            default_addresses()
        } else {
            config.addresses.clone()
        };
        Ok(Self {
            shared,
            certificate,
            addresses,
            ports,
            threads: Mutex::new(threads),
        })
    }

    /// Stop the workers, seal the logs; a second call does nothing.
    pub fn close(&self) {
        let mut threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        let Some(log) = threads.pop() else { return };
        for mailbox in &self.shared.mailboxes {
            // A full mailbox is emptied by its worker soon.
            while mailbox.post([Letter::Stop]).is_err() {
                std::thread::yield_now();
            }
        }
        for thread in threads {
            let _ = thread.join();
        }
        self.shared.log.order(Job::Stop);
        let _ = log.join();
    }

    /// The first worker's port.
    pub fn port(&self) -> u16 {
        self.ports.first().copied().unwrap_or(0)
    }

    /// The certificate's SHA-256 as SDP writes it.
    pub fn fingerprint(&self) -> String {
        self.certificate.fingerprint_text()
    }

    /// What happened since the last call.
    pub fn take_events(&self) -> impl Iterator<Item = CoreEvent> + use<> {
        self.shared.events.take().into_iter()
    }

    /// Feedback of all workers since the last call.
    pub fn take_feedback(&self) -> Vec<FeedbackRow> {
        self.shared.board.take_feedback()
    }

    /// The latest statistics of all workers, at most a quarter of a second old.
    pub fn take_stats(&self) -> Stats {
        self.shared.board.stats()
    }

    /// Fresh ICE credentials for an offer of ours.
    pub fn new_credentials(&self) -> Result<IceCredentials, CoreError> {
        credentials::fresh()
    }

    /// A new lesson; with a directory its log begins there.
    pub fn open_lesson(&self, log_dir: Option<&Path>) -> Result<LessonId, CoreError> {
        let lock = log_dir
            .map(|dir| lock_directory(dir).map(|lock| (dir.to_owned(), lock)))
            .transpose()?;
        let workers = self.shared.mailboxes.len();
        let (lesson, _) = self.shared.registry().open_lesson(workers, lock.is_some());
        if let Some((dir, lock)) = lock {
            self.shared.log.order(Job::OpenLesson(lesson, dir, lock));
        }
        Ok(lesson)
    }

    /// Close a lesson's transports and seal its log; unknown lessons are closed already.
    pub fn close_lesson(&self, lesson: LessonId) -> Result<(), CoreError> {
        let Some((worker, roots)) = self.shared.registry().close_lesson(lesson) else {
            return Ok(());
        };
        let removes = roots
            .into_iter()
            .map(|handle| Letter::Command(Command::Remove { handle }));
        Ok(self
            .shared
            .post(worker, removes.chain([Letter::CloseLesson(lesson)]))?)
    }

    /// Append an EVENT record to a lesson's track 0; without a log nothing happens.
    pub fn log_event(&self, lesson: LessonId, body: Vec<u8>) -> Result<(), CoreError> {
        if body.len() > MAX_EVENT {
            return Err(CoreError::Bad(format!(
                "an event of {} bytes: at most {MAX_EVENT}",
                body.len()
            )));
        }
        let known = self
            .shared
            .registry()
            .lesson(lesson)
            .ok_or(CoreError::NoSuch("lesson", lesson.0))?;
        if known.logged {
            let arrival_us = self.shared.clock.now().0;
            let record = LogRecord {
                lesson,
                track: 0,
                kind: kind::EVENT,
                arrival_us,
                body,
            };
            self.shared
                .log
                .push(&mut vec![(record, self.shared.clock.unix_us(arrival_us))]);
        }
        Ok(())
    }
}

impl AsRawFd for Core {
    fn as_raw_fd(&self) -> RawFd {
        self.shared.events.as_raw_fd()
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        self.close();
    }
}

/// What other machines reach us by; loopback only when there is nothing else.
fn default_addresses() -> Vec<IpAddr> {
    let all = interface_addresses();
    let outer: Vec<IpAddr> = all.iter().copied().filter(|ip| !ip.is_loopback()).collect();
    if outer.is_empty() { all } else { outer }
}
