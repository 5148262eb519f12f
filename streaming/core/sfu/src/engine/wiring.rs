//! Handles: which object a number of the control plane means.

use crate::api::{PublicationId, RtpParameters, SubscriptionId};

/// What a handle names, with the object's index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handle {
    /// An association.
    Transport(u32),
    /// A publication.
    Publication(u32),
    /// A subscription, found by the handle itself.
    Subscription,
}

/// A subscription: one leg, or one for each encoding.
#[derive(Debug)]
pub struct SubscriptionEntry {
    /// Handle.
    pub id: SubscriptionId,
    /// m-section.
    pub rtp: RtpParameters,
    /// Indexes of its legs; the first one is there from the start.
    pub legs: Vec<u32>,
    /// Every encoding goes out, each on a leg of its own.
    pub all_encodings: bool,
    /// What it is connected to.
    pub publication: Option<PublicationId>,
}
