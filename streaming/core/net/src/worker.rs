//! A worker's thread: sleep on all descriptors, feed the engine, send what it says. Time is read once a turn.

use std::collections::VecDeque;
use std::io;
use std::os::fd::AsRawFd;
use std::sync::Arc;

use zhuandi_sfu::api::{Command, Event, LogRecord, Outgoing, Role};
use zhuandi_wire::time::Micros;

use crate::board::NetDrops;
use crate::clients;
use crate::driver::{Driver, Origin};
use crate::events::CoreEvent;
use crate::log_queue::Job;
use crate::mailbox::Letter;
use crate::ports::Ports;
use crate::recv::RecvBatch;
use crate::shared::Shared;
use crate::sys::{Epoll, Ready};
use crate::tcp::{self, Seen, TcpPort};
use crate::udp::UdpPort;

const MAILBOX: u64 = 0;
const UDP: u64 = 1;
const LISTENER: u64 = 2;
/// Batches of 32 taken from the shared socket before timers and mail get their turn; each batch is sent on at once.
const BATCHES: usize = 4;
const FEEDBACK_US: i64 = 50_000;
const STATS_US: i64 = 250_000;

/// See the module.
pub(crate) struct Worker {
    pub(crate) index: usize,
    pub(crate) shared: Arc<Shared>,
    driver: Driver,
    epoll: Epoll,
    ports: Ports,
    recv: RecvBatch,
    out: Outgoing,
    records: Vec<(LogRecord, u64)>,
    letters: VecDeque<Letter>,
    feedback_at: i64,
    stats_at: i64,
    stopping: bool,
}

impl Worker {
    pub(crate) fn new(
        index: usize,
        shared: Arc<Shared>,
        udp: UdpPort,
        tcp: TcpPort,
        origin: Origin,
    ) -> io::Result<Self> {
        let epoll = Epoll::new(256)?;
        if let Some(mailbox) = shared.mailboxes.get(index) {
            epoll.add(mailbox.as_raw_fd(), MAILBOX)?;
        }
        epoll.add(udp.fd(), UDP)?;
        epoll.add(tcp.listener_fd(), LISTENER)?;
        Ok(Self {
            index,
            shared,
            driver: Driver::new(origin),
            epoll,
            ports: Ports::new(udp, tcp),
            recv: RecvBatch::new(),
            out: Outgoing::default(),
            records: Vec::new(),
            letters: VecDeque::new(),
            feedback_at: 0,
            stats_at: 0,
            stopping: false,
        })
    }

    /// The loop, until `Letter::Stop`.
    pub(crate) fn run(mut self) {
        let mut ready: Vec<Ready> = Vec::with_capacity(256);
        while !self.stopping {
            ready.clear();
            let timeout_ms = self.sleep_ms();
            self.epoll.wait(timeout_ms, &mut ready);
            for event in &ready {
                self.serve(*event);
            }
            let now = self.now();
            if now >= self.driver.next_timeout() {
                self.driver.timeout(now);
                self.drain(now);
            }
            self.housekeeping(now);
        }
    }

    fn now(&self) -> Micros {
        self.shared.clock.now()
    }

    fn sleep_ms(&self) -> i32 {
        let now = self.now();
        let next = self
            .driver
            .next_timeout()
            .0
            .min(self.feedback_at)
            .min(self.stats_at);
        // Rounded up: waking early would spin until the timer is due.
        i32::try_from((next.saturating_sub(now.0).max(0) + 999) / 1000).unwrap_or(1000)
    }

    fn serve(&mut self, event: Ready) {
        match event.token {
            MAILBOX => self.read_mail(),
            UDP => self.serve_udp(),
            LISTENER => self
                .ports
                .tcp
                .accept(&self.epoll, self.shared.clock.now().0),
            token if token >= tcp::TOKEN => self.serve_tcp(low(token), event),
            token if token >= clients::TOKEN => self.serve_client(low(token)),
            _ => {}
        }
    }

    fn serve_udp(&mut self) {
        for _ in 0..BATCHES {
            let now = self.now();
            let driver = &mut self.driver;
            let count = self.ports.udp.receive(&mut self.recv, |path, bytes| {
                driver.datagram(now, path, bytes)
            });
            if count == 0 {
                return;
            }
            self.drain(now);
            if count < crate::recv::BATCH {
                return;
            }
        }
    }

    fn serve_client(&mut self, id: u32) {
        let now = self.now();
        let Some(port) = self.ports.clients.get(id) else {
            return;
        };
        let driver = &mut self.driver;
        port.receive(&mut self.recv, |path, bytes| {
            driver.datagram(now, path, bytes)
        });
        self.drain(now);
    }

    fn serve_tcp(&mut self, id: u32, event: Ready) {
        let now = self.now();
        if event.writable {
            self.ports.tcp.flush(id, &self.epoll);
        }
        if !event.readable {
            return;
        }
        let driver = &mut self.driver;
        let seen = self
            .ports
            .tcp
            .read(id, now.0, |path, bytes| driver.datagram(now, path, bytes));
        if let Seen::Named(ufrag) = seen {
            self.place(id, &ufrag, now);
        }
        self.drain(now);
    }

    /// A connection said whom it wants: keep it, give it to that worker, or close it.
    fn place(&mut self, id: u32, ufrag: &str, now: Micros) {
        let owner = self.shared.registry().worker_of_ufrag(ufrag);
        match owner {
            Some(worker) if worker == self.index => {
                let driver = &mut self.driver;
                self.ports
                    .tcp
                    .keep(id, now.0, |path, bytes| driver.datagram(now, path, bytes));
            }
            Some(worker) => {
                if let Some((stream, read)) = self.ports.tcp.give(id, &self.epoll) {
                    // A worker too busy for one more connection: the peer tries again.
                    let _ = self.shared.post(worker, [Letter::Adopt(stream, read)]);
                }
            }
            None => self.ports.tcp.close(id),
        }
    }

    fn read_mail(&mut self) {
        let mut letters = std::mem::take(&mut self.letters);
        if let Some(mailbox) = self.shared.mailboxes.get(self.index) {
            mailbox.take(&mut letters);
        }
        let now = self.now();
        for letter in letters.drain(..) {
            self.open_letter(letter, now);
        }
        self.letters = letters;
        self.drain(now);
    }

    fn open_letter(&mut self, letter: Letter, now: Micros) {
        match letter {
            Letter::Command(command) => self.command(command, now),
            Letter::Adopt(stream, read) => {
                if let Ok(id) = self.ports.tcp.adopt(stream, read, &self.epoll, now.0) {
                    let driver = &mut self.driver;
                    self.ports
                        .tcp
                        .keep(id, now.0, |path, bytes| driver.datagram(now, path, bytes));
                }
            }
            Letter::CloseTrack(lesson, track, reason) => {
                self.drain(now);
                self.shared.log.order(Job::CloseTrack {
                    lesson,
                    track,
                    reason,
                });
            }
            Letter::CloseLesson(lesson) => {
                self.driver.command(now, Command::CloseLesson { lesson });
                self.drain(now);
                self.shared.log.order(Job::CloseLesson(lesson));
            }
            Letter::Stop => {
                self.drain(now);
                self.stopping = true;
            }
        }
    }

    fn command(&mut self, mut command: Command, now: Micros) {
        if let Command::OpenTransport {
            id, params, local, ..
        } = &mut command
            && params.role == Role::Client
        {
            let opened = self
                .ports
                .open_for(*id, &mut params.candidates, &self.epoll, now);
            match opened {
                Ok(address) => *local = Some(address),
                Err(error) => {
                    let reason = format!("no socket towards the peer: {error}");
                    self.tell(Event::Failed {
                        transport: *id,
                        reason,
                    });
                    return;
                }
            }
        }
        let removed = if let Command::Remove { handle } = &command {
            Some(*handle)
        } else {
            None
        };
        self.driver.command(now, command);
        if let Some(handle) = removed {
            // Goodbyes leave before their socket goes.
            self.drain(now);
            self.ports.clients.close(handle);
        }
    }

    /// Everything that the engine has to say after it was fed.
    fn drain(&mut self, now: Micros) {
        loop {
            self.out.clear();
            self.driver.transmit(now, &mut self.out);
            if self.out.runs.is_empty() {
                break;
            }
            self.ports.transmit(&self.out, &self.epoll);
        }
        // Records before events: an event may end their track.
        while let Some(record) = self.driver.log() {
            let unix_us = self.shared.clock.unix_us(record.arrival_us);
            self.records.push((record, unix_us));
        }
        if !self.records.is_empty() {
            self.shared.log.push(&mut self.records);
        }
        while let Some(event) = self.driver.event() {
            self.tell(event);
        }
    }

    fn tell(&mut self, event: Event) {
        if let Event::Closed { transport, .. } | Event::Failed { transport, .. } = &event {
            self.ports.clients.close(transport.0);
            self.shared.forget(transport.0);
        }
        self.shared.events.push(CoreEvent::Engine(event));
    }

    fn publish_feedback(&mut self, now: Micros) {
        let rows = self.driver.ask(now, |engine| engine.take_feedback(now));
        if !rows.is_empty() {
            self.shared.board.add_feedback(rows);
        }
    }

    fn publish_stats(&mut self, now: Micros) {
        let stats = self.driver.ask(now, |engine| engine.take_stats(now));
        let net = NetDrops {
            send_refused: self.ports.send.dropped,
            tcp_full: self.ports.tcp.dropped,
            panics: self.driver.panics,
        };
        self.shared.board.set_stats(self.index, stats, net);
    }

    fn housekeeping(&mut self, now: Micros) {
        if now.0 >= self.feedback_at {
            self.feedback_at = now.0 + FEEDBACK_US;
            self.publish_feedback(now);
        }
        if now.0 >= self.stats_at {
            self.stats_at = now.0 + STATS_US;
            self.ports.tcp.expire(now.0);
            self.publish_stats(now);
        }
    }
}

fn low(token: u64) -> u32 {
    u32::try_from(token & u64::from(u32::MAX)).unwrap_or(0)
}
