//! Stills: pictures by hash, fanned out chunk by chunk with acknowledgements of our own (PROTOCOL 1.1).

mod assembly;
mod end;
mod lesson;
mod own;
mod sender;
mod still;
#[cfg(test)]
mod tests;

pub use assembly::Taken;
pub use end::{Came, End, Stills};
pub use lesson::LessonStills;
pub use own::OwnStills;
pub use sender::Sender;
pub use still::Still;
#[cfg(test)]
mod wall_tests;
