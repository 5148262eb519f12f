//! Whether the packets of a publication come in: decided here, packet by packet, so that nothing in a page or in Python
//! stands between the teacher's click and silence.

use zhuandi_wire::rtp::Header;
use zhuandi_wire::time::Micros;

use super::Engine;
use super::association::Route;
use super::wiring::Handle;
use crate::api::PublicationId;
use crate::drop_reason::DropReason;
use crate::leg::To;

impl Engine {
    /// Let a publication's packets in, beginning with a key frame, or end them at the door with all that waits of them.
    pub(super) fn grant(&mut self, now: Micros, id: PublicationId, on: bool) {
        let Some(Handle::Publication(index)) = self.handles.get(&id.0).copied() else {
            return;
        };
        let Some(publication) = self.publications.get_mut(index) else {
            return;
        };
        if publication.granted == on {
            return;
        }
        publication.granted = on;
        if !on {
            self.silence(index);
        } else if publication.is_video() {
            self.want_keyframe(now, index);
        }
    }

    /// Nothing more leaves of a publication: what waits in queues goes, and what was sent is not repaired.
    fn silence(&mut self, source: u32) {
        let Some(publication) = self.publications.get_mut(source) else {
            return;
        };
        publication.rule.arrived();
        for encoding in &mut publication.encodings {
            encoding.forget_media();
        }
        for index in &publication.legs {
            let Some(leg) = self.legs.get_mut(*index) else {
                continue;
            };
            match leg.to {
                To::Transport(owner) => {
                    if let Some(association) = self.associations.get_mut(owner) {
                        leg.fall_silent(&mut association.pacer);
                    }
                }
                To::Log(..) => leg.begin_anew(),
            }
        }
    }

    /// Of a publication that is not granted nothing is read; its sender's reports go on.
    pub(super) fn pass_the_door(
        &mut self,
        now: Micros,
        route: Route,
        header: &Header,
    ) -> Result<(), DropReason> {
        let found = self.publications.get_mut(route.publication);
        let publication = found.ok_or(DropReason::UnknownSsrc)?;
        if publication.granted {
            return Ok(());
        }
        if let Some(encoding) = publication
            .encoding_mut(route.encoding)
            .filter(|_| !route.repair)
        {
            encoding.pass_by(now, header.fields.seq, header.fields.ts);
        }
        Err(DropReason::NotGranted)
    }
}
