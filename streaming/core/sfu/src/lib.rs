//! Sans-IO state machines of the selective forwarding unit.
//!
//! No socket, thread, clock or log write lives here: time and bytes come in as arguments, bytes and
//! events go out by polling. See [`api`] for the values that cross.
#![forbid(unsafe_code)]

pub mod api;
pub mod arrival_groups;
pub mod bucket;
pub mod channel;
pub mod clock;
pub mod command;
pub mod drop_reason;
pub mod encoding;
pub mod engine;
pub mod frame_holes;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
pub mod header;
pub mod history;
pub mod keyframe_chain;
pub mod keyframes;
pub mod leg;
pub mod nack;
pub mod outage;
pub mod outgoing;
pub mod pacer;
pub mod packet;
pub mod payload_types;
pub mod played;
pub mod player;
pub mod probe;
pub mod publication;
pub mod receive_stats;
pub mod repair_budget;
pub mod report;
pub mod rewriter;
pub mod selector;
pub mod sent_log;
pub mod slab;
pub mod stills;
pub mod timers;
pub mod transport;
pub mod twcc_recorder;
