//! STUN and DTLS datagrams on their way into the association: the one gate, then the handshake.

use zhuandi_wire::time::Micros;

use super::dtls::DtlsOutput;
use super::stun::{Class, Message};
use super::{MAX_WAITING, State, Transport, TransportEvent};
use crate::api::{Path, Role};
use crate::drop_reason::DropReason;

impl Transport {
    /// Take a STUN datagram.
    pub fn handle_stun(&mut self, now: Micros, path: Path, bytes: &[u8]) -> Result<(), DropReason> {
        let message = Message::parse(bytes).ok_or(DropReason::StunMalformed)?;
        if self.state == State::Over {
            return Err(DropReason::StunUnexpected);
        }
        match message.class {
            Class::Request => self.handle_check(now, path, &message),
            Class::Success => self.handle_answer(now, path, &message),
        }
    }

    fn handle_check(
        &mut self,
        now: Micros,
        path: Path,
        request: &Message<'_>,
    ) -> Result<(), DropReason> {
        let answer = match self.credentials.verify(request) {
            Ok(()) => {
                self.previous = None;
                self.credentials.answer(&path, request)
            }
            Err(reason) => {
                let previous = self.previous.as_ref().ok_or(reason)?;
                previous.verify(request).map_err(|_| reason)?;
                previous.answer(&path, request)
            }
        };
        self.open_path(now, path);
        if !self.paths.may_answer(now, &path) {
            return Err(DropReason::StunRate);
        }
        if let Some(answer) = answer {
            self.send(path, answer);
        }
        if self.role == Role::Server && (request.use_candidate || self.paths.is_wanted(now, &path))
        {
            self.select(path);
        }
        self.start_dtls(now);
        Ok(())
    }

    fn handle_answer(
        &mut self,
        now: Micros,
        path: Path,
        answer: &Message<'_>,
    ) -> Result<(), DropReason> {
        let checks = self.checks.as_mut().ok_or(DropReason::StunUnexpected)?;
        let valid = checks.handle_success(now, path, answer, &self.credentials)?;
        self.previous = None;
        self.rtt_us = Some(valid.rtt_us);
        self.open_path(now, valid.path);
        if self
            .checks
            .as_ref()
            .is_some_and(|checks| checks.uses(&valid.path))
        {
            self.select(valid.path);
        }
        self.start_dtls(now);
        self.run_checks(now);
        Ok(())
    }

    pub(super) fn open_path(&mut self, now: Micros, path: Path) {
        let opened = self.paths.open(now, path);
        if let Some(forgotten) = opened.forgotten {
            self.tell(TransportEvent::PathForgotten(forgotten));
        }
        if opened.is_new {
            self.tell(TransportEvent::PathOpened(path));
        }
        self.authenticated(now, &path);
    }

    pub(super) fn select(&mut self, path: Path) {
        if self.paths.select(path) && matches!(self.state, State::Connected | State::Disconnected) {
            self.tell(TransportEvent::PathChanged(path));
        }
    }

    /// An authenticated packet came: the peer is there.
    pub(super) fn authenticated(&mut self, now: Micros, path: &Path) {
        self.heard = now;
        self.paths.heard(now, path);
        if self.state == State::Disconnected {
            self.state = State::Connected;
            self.tell(TransportEvent::Reconnected);
        }
    }

    /// Take a DTLS datagram.
    pub fn handle_dtls(&mut self, now: Micros, path: Path, bytes: &[u8]) -> Result<(), DropReason> {
        if !self.paths.is_open(&path) {
            return Err(DropReason::DtlsUnopenedPath);
        }
        if self.state == State::Over {
            return Err(DropReason::DtlsUnexpected);
        }
        if self.bare {
            return self.take_bare(now, &path, bytes);
        }
        let outputs = self.dtls.handle(now, self.epoch, bytes);
        let result = outputs.map(|outputs| {
            if outputs.iter().any(|one| matches!(one, DtlsOutput::Data(_))) {
                self.authenticated(now, &path);
            }
            self.take_dtls(now, outputs);
        });
        self.start_dtls(now);
        result
    }

    pub(super) fn start_dtls(&mut self, now: Micros) {
        if self.state == State::Opening && self.paths.selected().is_some() {
            let outputs = self.dtls.start(now, self.epoch, &self.certificate);
            self.take_dtls(now, outputs);
            if self.dtls.is_exhausted() {
                self.finish(TransportEvent::Failed(
                    "the DTLS handshake broke again and again".into(),
                ));
            }
        }
    }

    pub(super) fn take_dtls(&mut self, now: Micros, outputs: Vec<DtlsOutput>) {
        for output in outputs {
            match (output, self.paths.selected()) {
                (DtlsOutput::Packet(packet), Some(path)) => self.send(path, packet),
                (DtlsOutput::Packet(_), None) => {}
                (DtlsOutput::Keys(mut srtp), path) => {
                    self.declared
                        .drain(..)
                        .for_each(|ssrc| srtp.declare_ssrc(ssrc));
                    self.srtp = Some(srtp);
                    self.state = State::Connected;
                    self.heard = now;
                    if let Some(path) = path {
                        self.tell(TransportEvent::Connected(path));
                    }
                }
                (DtlsOutput::Failed(reason), _) => self.finish(TransportEvent::Failed(reason)),
                (DtlsOutput::Data(data), _) if self.data.len() < MAX_WAITING => {
                    self.data.push_back(data);
                }
                (DtlsOutput::Data(_), _) => {}
                (DtlsOutput::Closed, _) => {
                    self.finish(TransportEvent::Closed("closed by the peer".into()))
                }
            }
        }
    }
}
