//! Associations that stand before the engine sees them.

use zhuandi_wire::time::Micros;

use super::Engine;
use crate::api::{LessonId, Stills, TransportId};
use crate::stills::End;
use crate::transport::Transport;

impl Engine {
    /// Take in an association that stands already ([`Transport::established`]).
    pub fn adopt(
        &mut self,
        now: Micros,
        id: TransportId,
        lesson: LessonId,
        transport: Transport,
        stills: Stills,
    ) {
        let index = self.insert(id, lesson, transport);
        if let Some(association) = self.associations.get_mut(index) {
            association.stills = End::new(stills, false);
        }
        self.follow_transport(now, index);
    }
}
