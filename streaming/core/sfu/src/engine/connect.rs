//! Legs and publications meet and part; layers are applied; a leg that begins is served from the key-frame chain.

use zhuandi_wire::time::Micros;

use super::Engine;
use super::wiring::Handle;
use crate::api::{LayerRow, PublicationId, SubscriptionId};
use crate::leg::To;

/// A leg that shows a picture is not taken back further than this by a switch.
const MAX_STEP_BACK_US: i64 = 150_000;
/// A paced leg is not served a chain that takes longer than this.
const MAX_CATCH_UP_MS: usize = 1500;

impl Engine {
    pub(super) fn connect(
        &mut self,
        now: Micros,
        subscription: SubscriptionId,
        publication: Option<PublicationId>,
        all_encodings: bool,
    ) {
        let source = match publication.map(|id| self.handles.get(&id.0).copied()) {
            None => None,
            Some(Some(Handle::Publication(index))) => Some(index),
            Some(_) => return,
        };
        if source.is_some() && self.is_connected(subscription, publication, all_encodings) {
            return;
        }
        let Some(mut entry) = self.subscriptions.remove(&subscription.0) else {
            return;
        };
        let extra = entry.legs.split_off(1.min(entry.legs.len()));
        for leg in extra {
            self.remove_leg(leg);
        }
        let Some(first) = entry.legs.first().copied() else {
            return;
        };
        self.detach_leg(first);
        let count = source
            .and_then(|index| self.publications.get(index))
            .map_or(0, |found| found.encodings.len());
        let to = self.legs.get(first).map(|leg| leg.to);
        if let (true, Some(to)) = (all_encodings, to) {
            for encoding in entry.rtp.encodings.clone().into_iter().take(count).skip(1) {
                let leg = self.add_leg(now, &entry, to, encoding);
                entry.legs.push(leg);
            }
        }
        entry.publication = publication.filter(|_| source.is_some());
        entry.all_encodings = all_encodings;
        for (encoding, leg) in (0u8..).zip(&entry.legs) {
            if let Some(leg) = self.legs.get_mut(*leg) {
                leg.fixed = (all_encodings && count > 1).then_some(encoding);
            }
        }
        let legs = entry.legs.clone();
        self.subscriptions.insert(subscription.0, entry);
        for leg in legs {
            self.attach_leg(now, leg, source);
        }
    }

    /// The same again would only make the receiver start anew.
    fn is_connected(
        &self,
        subscription: SubscriptionId,
        publication: Option<PublicationId>,
        all_encodings: bool,
    ) -> bool {
        self.subscriptions
            .get(&subscription.0)
            .is_some_and(|entry| {
                entry.publication == publication && entry.all_encodings == all_encodings
            })
    }

    fn attach_leg(&mut self, now: Micros, index: u32, source: Option<u32>) {
        let Some(leg) = self.legs.get_mut(index) else {
            return;
        };
        let Some((at, publication)) =
            source.and_then(|at| Some((at, self.publications.get_mut(at)?)))
        else {
            leg.attach(None);
            return;
        };
        leg.attach(Some((at, publication)));
        publication.legs.push(index);
        self.start_leg(now, index);
    }

    pub(super) fn detach_leg(&mut self, index: u32) {
        let Some(leg) = self.legs.get_mut(index) else {
            return;
        };
        let (before, to) = (leg.publication, leg.to);
        leg.attach(None);
        if let Some(publication) = before.and_then(|at| self.publications.get_mut(at)) {
            publication.legs.retain(|other| *other != index);
        }
        if let To::Transport(owner) = to
            && let Some(association) = self.associations.get_mut(owner)
        {
            association.pacer.remove_leg(index);
        }
    }

    pub(super) fn remove_leg(&mut self, index: u32) {
        self.detach_leg(index);
        let Some(leg) = self.legs.remove(index) else {
            return;
        };
        if let To::Transport(owner) = leg.to
            && let Some(association) = self.associations.get_mut(owner)
        {
            association.legs.retain(|other| *other != index);
            leg.spent()
                .for_each(|(ssrc, index)| association.spend(ssrc, index));
        }
    }

    pub(super) fn apply_layers(&mut self, now: Micros, row: LayerRow) {
        let Some(entry) = self.subscriptions.get(&row.subscription.0) else {
            return;
        };
        for index in entry.legs.clone() {
            let Some(leg) = self.legs.get_mut(index) else {
                continue;
            };
            if leg.fixed.is_some() {
                continue;
            }
            leg.selector.want(row.spatial, row.temporal);
            if let (true, To::Transport(owner)) = (row.spatial < 0, leg.to)
                && let Some(association) = self.associations.get_mut(owner)
                && association.pacer.is_old(now)
            {
                // What waits would only keep sound and stills from the link.
                leg.give_up_queue(&mut association.pacer);
            }
            self.start_leg(now, index);
        }
    }

    /// The transport is up: its legs may begin.
    pub(super) fn start_legs(&mut self, now: Micros, index: u32) {
        let legs = self
            .associations
            .get(index)
            .map_or_else(Vec::new, |found| found.legs.clone());
        for index in legs {
            if let Some(leg) = self.legs.get_mut(index) {
                leg.ready = true;
            }
            self.start_leg(now, index);
        }
    }

    /// Longest chain that is worth sending: on a weak link a new key frame is there sooner than all that followed an old one.
    fn chain_bytes_of(&self, to: To) -> usize {
        let To::Transport(owner) = to else {
            return usize::MAX;
        };
        let rate = self
            .associations
            .get(owner)
            .map_or(0, |found| found.pacer.rate_bps());
        match usize::try_from(rate / 8) {
            Ok(0) | Err(_) => usize::MAX,
            Ok(bytes_per_s) => bytes_per_s.saturating_mul(MAX_CATCH_UP_MS) / 1000,
        }
    }

    /// Where the leg waits for a key frame: serve it from the chain, or ask for one.
    pub(super) fn start_leg(&mut self, now: Micros, index: u32) {
        let Some(leg) = self.legs.get(index) else {
            return;
        };
        let Some(source) = leg.publication.filter(|_| leg.waits() && leg.is_video()) else {
            return;
        };
        let Some(publication) = self.publications.get(source) else {
            return;
        };
        let going = leg.selector.current().is_some();
        let most = self.chain_bytes_of(leg.to);
        let chain = leg.selector.target().and_then(|target| {
            let encoding = publication.encoding(target)?;
            let age_us = encoding.keyframe_age_us(now)?;
            let chain = encoding.fresh_chain(now)?;
            let young = age_us <= MAX_STEP_BACK_US;
            let fits = young || encoding.chain_bytes() <= most;
            ((!going || young) && fits).then_some((target, chain))
        });
        match chain {
            Some((encoding, chain)) => self.replay(now, index, encoding, chain),
            None => {
                self.want_keyframe(now, source);
            }
        }
    }
}
