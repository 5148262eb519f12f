//! Commands about logs: taps that write one, players that read one.

use std::path::PathBuf;

use zhuandi_sfu::api::{Command, LessonId, PublicationId, RtpParameters, Sink, SubscriptionId};

use crate::core::Core;
use crate::error::CoreError;
use crate::log_queue::Job;
use crate::log_reader::read_played;
use crate::registry::{Entry, Object};

/// Longest header of a TRACK record.
const MAX_HEADER: usize = 64 << 10;

impl Core {
    /// A publication that is played from track files of a log.
    pub fn add_player(
        &self,
        lesson: LessonId,
        paths: &[PathBuf],
        rtp: RtpParameters,
        loop_us: i64,
    ) -> Result<PublicationId, CoreError> {
        let played = read_played(paths, loop_us)?;
        let mut registry = self.shared.registry();
        let worker = registry
            .lesson(lesson)
            .ok_or(CoreError::NoSuch("lesson", lesson.0))?
            .worker;
        let object = Object::Publication(Box::new(rtp.clone()));
        let id = PublicationId(registry.add(Entry {
            lesson,
            worker,
            parent: None,
            object,
        }));
        drop(registry);
        self.post_new(
            worker,
            id.0,
            [Command::AddPlayer {
                id,
                lesson,
                rtp: Box::new(rtp),
                played,
            }],
        )?;
        Ok(id)
    }

    /// A leg from a publication into its lesson's log; `header` is the JSON of the TRACK record.
    pub fn add_tap(
        &self,
        publication: PublicationId,
        track: u16,
        header: Vec<u8>,
    ) -> Result<SubscriptionId, CoreError> {
        if track == 0 || header.len() > MAX_HEADER {
            return Err(CoreError::Bad(
                "a tap needs a track above 0 (0 is the event track) and a short header".into(),
            ));
        }
        let mut registry = self.shared.registry();
        let Some(Entry {
            lesson,
            worker,
            object: Object::Publication(source),
            ..
        }) = registry.get(publication.0).cloned()
        else {
            return Err(CoreError::NoSuch("publication", publication.0));
        };
        if !registry.lesson(lesson).is_some_and(|lesson| lesson.logged) {
            return Err(CoreError::Bad(format!("lesson {} has no log", lesson.0)));
        }
        if registry.has_track(lesson, track) {
            return Err(CoreError::Bad(format!("track {track} is in use")));
        }
        let entry = Entry {
            lesson,
            worker,
            parent: Some(publication.0),
            object: Object::Tap { track },
        };
        let id = SubscriptionId(registry.add(entry));
        drop(registry);
        let unix_us = self.shared.clock.unix_us(self.shared.clock.now().0);
        self.shared.log.order(Job::OpenTrack {
            lesson,
            track,
            header,
            unix_us,
        });
        let rtp = Box::new(RtpParameters {
            encodings: Vec::new(),
            ..*source
        });
        let add = Command::AddSubscription {
            id,
            lesson,
            sink: Sink::Log(track),
            rtp,
        };
        let connect = Command::Connect {
            subscription: id,
            publication: Some(publication),
            all_encodings: false,
        };
        self.post_new(worker, id.0, [add, connect])?;
        Ok(id)
    }
}
