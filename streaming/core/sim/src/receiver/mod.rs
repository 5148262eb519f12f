//! A modelled browser that attends.

pub mod decoder;
pub mod delay_target;
pub mod freeze;
pub mod nack_sender;
pub mod picture_buffer;
pub mod render_clock;
pub mod sound_buffer;
