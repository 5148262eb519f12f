//! Commands about transports, publications and subscriptions: checked here, posted to the lesson's worker.

use std::net::SocketAddr;

use zhuandi_sfu::api::{
    Command, IceCredentials, LayerRow, LessonId, PublicationId, RateRow, Role, RtpParameters, Sink,
    SubscriptionId, TransportId, TransportParams,
};

use crate::core::Core;
use crate::credentials;
use crate::error::CoreError;
use crate::mailbox::Letter;
use crate::registry::{Entry, Object};

/// What our SDP says about an association.
#[derive(Clone, Debug)]
pub struct LocalTransport {
    /// Its handle.
    pub id: TransportId,
    /// Our ICE credentials.
    pub ice: IceCredentials,
    /// Our host candidates: UDP and passive TCP on each address; none in the client role.
    pub candidates: Vec<SocketAddr>,
}

/// What a caller says about an association; our credentials are made here unless they are in an offer already.
#[derive(Clone, Debug)]
pub struct OpenTransport {
    /// What the peer said; `local_ice` is replaced unless `keep_local_ice`.
    pub params: TransportParams,
    /// `params.local_ice` was in an offer of ours.
    pub keep_local_ice: bool,
}

impl Core {
    /// A new association in a lesson.
    pub fn open_transport(
        &self,
        lesson: LessonId,
        open: OpenTransport,
    ) -> Result<LocalTransport, CoreError> {
        let mut params = open.params;
        if !open.keep_local_ice {
            params.local_ice = credentials::fresh()?;
        }
        credentials::check(&params.local_ice)?;
        credentials::check(&params.remote_ice)?;
        if params.role == Role::Client && params.candidates.is_empty() {
            return Err(CoreError::Bad(
                "the client role needs the peer's candidates".into(),
            ));
        }
        let (ice, role) = (params.local_ice.clone(), params.role);
        let mut registry = self.shared.registry();
        let worker = registry
            .lesson(lesson)
            .ok_or(CoreError::NoSuch("lesson", lesson.0))?
            .worker;
        let object = Object::Transport {
            ufrag: ice.ufrag.clone(),
            role,
        };
        let id = TransportId(registry.add(Entry {
            lesson,
            worker,
            parent: None,
            object,
        }));
        drop(registry);
        let command = Command::OpenTransport {
            id,
            lesson,
            params: Box::new(params),
            local: None,
        };
        self.post_new(worker, id.0, [command])?;
        Ok(LocalTransport {
            id,
            ice,
            candidates: self.candidates(worker, role),
        })
    }

    /// New ICE credentials on both sides of a living association.
    pub fn restart_ice(
        &self,
        id: TransportId,
        remote: IceCredentials,
    ) -> Result<LocalTransport, CoreError> {
        credentials::check(&remote)?;
        let local = credentials::fresh()?;
        let mut registry = self.shared.registry();
        let entry = registry.get(id.0).cloned();
        let Some(Entry {
            worker,
            object: Object::Transport { role, .. },
            ..
        }) = entry
        else {
            return Err(CoreError::NoSuch("transport", id.0));
        };
        registry.rename(id, &local.ufrag);
        drop(registry);
        let command = Command::RestartIce {
            id,
            local: local.clone(),
            remote,
        };
        self.shared.post(worker, [Letter::Command(command)])?;
        Ok(LocalTransport {
            id,
            ice: local,
            candidates: self.candidates(worker, role),
        })
    }

    fn candidates(&self, worker: usize, role: Role) -> Vec<SocketAddr> {
        let port = self.ports.get(worker).copied().unwrap_or(0);
        let server = role == Role::Server;
        self.addresses
            .iter()
            .filter(|_| server)
            .map(|ip| SocketAddr::new(*ip, port))
            .collect()
    }

    /// Media that a transport will send to us; where it is not granted, its packets end at the door until they are.
    pub fn add_publication(
        &self,
        transport: TransportId,
        rtp: RtpParameters,
        granted: bool,
    ) -> Result<PublicationId, CoreError> {
        let object = Object::Publication(Box::new(rtp.clone()));
        let (handle, entry) = self.add_under(transport, object)?;
        let id = PublicationId(handle);
        let add = Command::AddPublication {
            id,
            transport,
            rtp: Box::new(rtp),
        };
        let bar = Command::Grant {
            publication: id,
            on: false,
        };
        let commands = std::iter::once(add).chain((!granted).then_some(bar));
        self.post_new(entry.worker, handle, commands)?;
        Ok(id)
    }

    /// A slot of a transport, connected to nothing.
    pub fn add_subscription(
        &self,
        transport: TransportId,
        rtp: RtpParameters,
    ) -> Result<SubscriptionId, CoreError> {
        let (handle, entry) = self.add_under(transport, Object::Subscription)?;
        let (id, lesson, sink) = (
            SubscriptionId(handle),
            entry.lesson,
            Sink::Transport(transport),
        );
        self.post_new(
            entry.worker,
            handle,
            [Command::AddSubscription {
                id,
                lesson,
                sink,
                rtp: Box::new(rtp),
            }],
        )?;
        Ok(id)
    }

    fn add_under(&self, transport: TransportId, object: Object) -> Result<(u32, Entry), CoreError> {
        let mut registry = self.shared.registry();
        match registry.get(transport.0).cloned() {
            Some(Entry {
                lesson,
                worker,
                object: Object::Transport { .. },
                ..
            }) => {
                let entry = Entry {
                    lesson,
                    worker,
                    parent: Some(transport.0),
                    object,
                };
                Ok((registry.add(entry.clone()), entry))
            }
            _ => Err(CoreError::NoSuch("transport", transport.0)),
        }
    }

    /// Point a slot at a publication of its lesson, or at nothing.
    pub fn connect(
        &self,
        id: SubscriptionId,
        to: Option<PublicationId>,
        all_encodings: bool,
    ) -> Result<(), CoreError> {
        let registry = self.shared.registry();
        let Some(Entry {
            lesson,
            worker,
            object: Object::Subscription,
            ..
        }) = registry.get(id.0)
        else {
            return Err(CoreError::NoSuch("subscription", id.0));
        };
        if let Some(publication) = to {
            match registry.get(publication.0) {
                Some(Entry {
                    lesson: of,
                    object: Object::Publication(_),
                    ..
                }) if of == lesson => {}
                Some(Entry {
                    object: Object::Publication(_),
                    ..
                }) => {
                    return Err(CoreError::Bad(format!(
                        "publication {} is of another lesson",
                        publication.0
                    )));
                }
                _ => return Err(CoreError::NoSuch("publication", publication.0)),
            }
        }
        let command = Command::Connect {
            subscription: id,
            publication: to,
            all_encodings,
        };
        Ok(self.shared.post(*worker, [Letter::Command(command)])?)
    }

    /// Remove anything by its handle; what is gone is gone.
    pub fn remove(&self, handle: u32) -> Result<(), CoreError> {
        let mut registry = self.shared.registry();
        let Some(worker) = registry.get(handle).map(|entry| entry.worker) else {
            return Ok(());
        };
        let ended = registry.remove(handle);
        drop(registry);
        let closes = ended
            .into_iter()
            .map(|(lesson, _, track)| Letter::CloseTrack(lesson, track, "removed"));
        Ok(self.shared.post(
            worker,
            std::iter::once(Letter::Command(Command::Remove { handle })).chain(closes),
        )?)
    }

    /// One whole decision; rows of objects that are gone are left out.
    pub fn apply(&self, layers: Vec<LayerRow>, rates: Vec<RateRow>) -> Result<(), CoreError> {
        let workers = self.shared.mailboxes.len();
        let mut parts = vec![(Vec::new(), Vec::new()); workers];
        let registry = self.shared.registry();
        for row in layers {
            let part = registry
                .get(row.subscription.0)
                .and_then(|entry| parts.get_mut(entry.worker));
            if let Some((layers, _)) = part {
                layers.push(row);
            }
        }
        for row in rates {
            let part = registry
                .get(row.transport.0)
                .and_then(|entry| parts.get_mut(entry.worker));
            if let Some((_, rates)) = part {
                rates.push(row);
            }
        }
        drop(registry);
        for (worker, (layers, rates)) in parts.into_iter().enumerate() {
            if !layers.is_empty() || !rates.is_empty() {
                self.shared
                    .post(worker, [Letter::Command(Command::Apply { layers, rates })])?;
            }
        }
        Ok(())
    }

    /// Post the making of an object; when that fails it is forgotten again.
    pub(crate) fn post_new(
        &self,
        worker: usize,
        handle: u32,
        commands: impl IntoIterator<Item = Command>,
    ) -> Result<(), CoreError> {
        let posted = self
            .shared
            .post(worker, commands.into_iter().map(Letter::Command));
        if posted.is_err() {
            self.shared.forget(handle);
        }
        Ok(posted?)
    }
}
