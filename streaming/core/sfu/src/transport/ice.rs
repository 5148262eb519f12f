//! Credentials and the 5-tuples that they opened (RFC 8445; as a server: lite, section 2.5).

use aws_lc_rs::hmac;
use zhuandi_wire::time::Micros;

use super::stun::{Message, binding_success, integrity_key};
use crate::api::{IceCredentials, Path};
use crate::drop_reason::DropReason;

/// 5-tuples that one transport may have open; the oldest gives way.
const MAX_PATHS: usize = 8;
/// Answers a second and path (reliability: STUN reflection).
const MAX_ANSWERS: u32 = 20;
const SECOND_US: i64 = 1_000_000;
/// A path that was silent for this long gives way to a verified check from elsewhere even without a nomination:
/// peers that nominate once do not do it again when their NAT rebinds.
const SILENCE_US: i64 = 3 * SECOND_US;

/// Both sides' user fragments and passwords. The HMAC keys are made where they are used: a ready one has 1.3 KB.
pub(super) struct Credentials {
    /// `ours:theirs`, the USERNAME of checks to us (RFC 8445 7.2.2).
    incoming: String,
    /// `theirs:ours`
    pub(super) outgoing: String,
    pub(super) local_ufrag: String,
    local_pwd: String,
    remote_pwd: String,
}

impl Credentials {
    pub(super) fn new(local: &IceCredentials, remote: &IceCredentials) -> Self {
        Self {
            incoming: format!("{}:{}", local.ufrag, remote.ufrag),
            outgoing: format!("{}:{}", remote.ufrag, local.ufrag),
            local_ufrag: local.ufrag.clone(),
            local_pwd: local.pwd.clone(),
            remote_pwd: remote.pwd.clone(),
        }
    }

    /// The key of the peer: for our requests and its answers to them.
    pub(super) fn remote_key(&self) -> hmac::Key {
        integrity_key(&self.remote_pwd)
    }

    /// Is the request for us, from one who knows our password?
    pub(super) fn verify(&self, request: &Message<'_>) -> Result<(), DropReason> {
        if request.username != Some(self.incoming.as_str()) {
            return Err(DropReason::StunUsername);
        }
        if request.verifies(&integrity_key(&self.local_pwd)) {
            Ok(())
        } else {
            Err(DropReason::StunIntegrity)
        }
    }

    /// The answer to a verified request.
    pub(super) fn answer(&self, path: &Path, request: &Message<'_>) -> Option<Vec<u8>> {
        binding_success(
            request.transaction,
            path.remote,
            request.fingerprint,
            &integrity_key(&self.local_pwd),
        )
    }
}

struct OpenPath {
    path: Path,
    heard: Micros,
    second: i64,
    answers: u32,
}

/// What a verified check did to the set of paths.
#[derive(Default)]
pub(super) struct Opened {
    pub(super) is_new: bool,
    pub(super) forgotten: Option<Path>,
}

/// The opened 5-tuples, and the one on which we send.
#[derive(Default)]
pub(super) struct Paths {
    open: Vec<OpenPath>,
    selected: Option<Path>,
}

impl Paths {
    pub(super) fn selected(&self) -> Option<Path> {
        self.selected
    }

    pub(super) fn is_open(&self, path: &Path) -> bool {
        self.open.iter().any(|open| open.path == *path)
    }

    /// An authenticated packet came this way.
    pub(super) fn heard(&mut self, now: Micros, path: &Path) {
        if let Some(open) = self.open.iter_mut().find(|open| open.path == *path) {
            open.heard = now;
        }
    }

    /// A verified check came this way.
    pub(super) fn open(&mut self, now: Micros, path: Path) -> Opened {
        if self.is_open(&path) {
            self.heard(now, &path);
            return Opened::default();
        }
        let mut forgotten = None;
        if self.open.len() >= MAX_PATHS {
            let selected = self.selected;
            let others = self
                .open
                .iter()
                .enumerate()
                .filter(|(_, open)| Some(open.path) != selected);
            if let Some((oldest, _)) = others.min_by_key(|(_, open)| open.heard) {
                forgotten = Some(self.open.swap_remove(oldest).path);
            }
        }
        self.open.push(OpenPath {
            path,
            heard: now,
            second: i64::MIN,
            answers: 0,
        });
        Opened {
            is_new: true,
            forgotten,
        }
    }

    /// May one more answer go out this way in this second?
    pub(super) fn may_answer(&mut self, now: Micros, path: &Path) -> bool {
        let Some(open) = self.open.iter_mut().find(|open| open.path == *path) else {
            return false;
        };
        let second = now.0.div_euclid(SECOND_US);
        if open.second != second {
            (open.second, open.answers) = (second, 0);
        }
        open.answers += 1;
        open.answers <= MAX_ANSWERS
    }

    /// Send this way from now on; whether that is a change.
    pub(super) fn select(&mut self, path: Path) -> bool {
        self.selected.replace(path) != Some(path)
    }

    /// Should a check without nomination from here move the sending there?
    pub(super) fn is_wanted(&self, now: Micros, path: &Path) -> bool {
        let Some(selected) = self.selected else {
            return true;
        };
        let heard = self
            .open
            .iter()
            .find(|open| open.path == selected)
            .map(|open| open.heard);
        selected != *path && heard.is_none_or(|heard| now.since(heard) >= SILENCE_US)
    }
}
