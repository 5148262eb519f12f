//! Stills: pictures by hash, fanned out chunk by chunk with acknowledgements of our own (PROTOCOL 1.1).

mod assembly;
mod end;
mod lesson;
mod sender;
mod still;
#[cfg(test)]
mod tests;

pub use end::{End, Stills};
pub use lesson::{LessonStills, Taken};
pub use sender::Sender;
pub use still::Still;
