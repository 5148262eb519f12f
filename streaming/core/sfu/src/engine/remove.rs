//! Objects go: whatever is removed sends nothing more from this moment, and takes along what hangs on it.

use zhuandi_wire::time::Micros;

use super::wiring::Handle;
use super::{Engine, Event};

impl Engine {
    pub(super) fn remove(&mut self, now: Micros, handle: u32) {
        match self.handles.remove(&handle) {
            Some(Handle::Transport(index)) => self.remove_transport(now, index),
            Some(Handle::Publication(index)) => self.remove_publication(index),
            Some(Handle::Subscription) => self.remove_subscription(handle),
            None => {}
        }
    }

    fn remove_transport(&mut self, now: Micros, index: u32) {
        if let Some(association) = self.associations.get_mut(index) {
            association.transport.close(now);
        }
        self.follow_transport(now, index);
        self.drop_association(index, Some("removed"));
    }

    /// The association is over: forget it and all that belongs to it.
    pub(super) fn drop_association(&mut self, index: u32, reason: Option<&str>) {
        let Some(mut association) = self.associations.remove(index) else {
            return;
        };
        while let Some((path, bytes)) = association.transport.poll_transmit() {
            self.farewells.push_back((path, bytes));
        }
        self.handles.remove(&association.id.0);
        self.paths.retain(|_, owner| *owner != index);
        self.ufrags.retain(|_, owner| *owner != index);
        self.locals.retain(|_, owner| *owner != index);
        self.dirty.retain(|dirty| *dirty != index);
        for publication in association.publications {
            self.remove_publication(publication);
        }
        let subscriptions: Vec<u32> = association
            .legs
            .iter()
            .filter_map(|leg| Some(self.legs.get(*leg)?.subscription.0))
            .collect();
        for subscription in subscriptions {
            self.remove_subscription(subscription);
        }
        if let Some(reason) = reason {
            self.emit(Event::Closed {
                transport: association.id,
                reason: reason.to_owned(),
            });
        }
    }

    fn remove_publication(&mut self, index: u32) {
        let Some(publication) = self.publications.remove(index) else {
            return;
        };
        self.handles.remove(&publication.id.0);
        self.players.remove(&index);
        for leg in publication.legs {
            self.detach_leg(leg);
        }
        for entry in self.subscriptions.values_mut() {
            entry.publication = entry
                .publication
                .filter(|connected| *connected != publication.id);
        }
        if let Some(association) = publication
            .transport
            .and_then(|owner| self.associations.get_mut(owner))
        {
            association.publications.retain(|other| *other != index);
            association
                .routes
                .retain(|route| route.publication != index);
        }
    }

    fn remove_subscription(&mut self, handle: u32) {
        self.handles.remove(&handle);
        let Some(entry) = self.subscriptions.remove(&handle) else {
            return;
        };
        for leg in entry.legs {
            self.remove_leg(leg);
        }
    }
}
